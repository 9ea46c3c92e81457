"""What is known of a schedule that follows something: what was looked at last, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

from jupyter_pipelines.store.files import read_json, write_json

REF: Final = "ref:"  # before the name of a git ref


@dataclass(frozen=True)
class Followed:
    """``current``: what there is, is what runs. ``refused``: it is not, for ``problem``; the last good version runs."""

    state: Literal["current", "refused"]
    seen: str  # what names the content that was looked at
    since: float  # seconds since the epoch
    version: str = ""  # the last that was published
    files: tuple[str, ...] = ()  # frozen with it, below the notebook's folder
    problem: str = ""

    def to_json(self) -> dict[str, object]:
        """JSON values; :func:`followed_from` makes an equal one of them."""
        return asdict(self)


def followed_from(found: object) -> Followed | None:
    """Read the JSON form; ``None`` when it is malformed: then it is looked at anew."""
    if not isinstance(found, Mapping):
        return None
    try:
        return Followed(**{**found, "files": tuple(found["files"])})
    except (TypeError, KeyError):
        return None


def load_followed(home: Path, schedule_id: str) -> Followed | None:
    """What is known of a schedule in the project home ``home``."""
    return followed_from(read_json(_path(home, schedule_id)))


def save_followed(home: Path, schedule_id: str, followed: Followed) -> None:
    """Keep it. Raises :class:`~jupyter_pipelines.errors.StoreError`."""
    write_json(_path(home, schedule_id), followed.to_json())


def forget_followed(home: Path, schedule_id: str) -> None:
    """Remove it, with its schedule."""
    _path(home, schedule_id).unlink(missing_ok=True)


def _path(home: Path, schedule_id: str) -> Path:
    return home / "schedules" / "following" / f"{schedule_id}.json"
