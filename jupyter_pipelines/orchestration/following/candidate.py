"""What a schedule follows, as it is now: named by its content, made ready to be looked at, proved and published."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.orchestration.following.git import export, folder_at
from jupyter_pipelines.orchestration.following.model import REF, Followed
from jupyter_pipelines.orchestration.versions.model import Version
from jupyter_pipelines.orchestration.versions.publishing import publish
from jupyter_pipelines.settings import Settings

_OF_ANOTHER: Final = (
    "PREFECT_",
    "JUPYTER_PIPELINES_RUN",
    "JUPYTER_PIPELINES_KERNEL",
)  # environment of a service's part
_MOST_SAID: Final = 2_000  # characters


@dataclass(frozen=True)
class Candidate:
    """A notebook that may become the next version; ``seen`` names its content, ``folder`` is where it was unpacked."""

    notebook: Path  # the path it is published as
    follow: str
    seen: str
    commit: str = ""
    folder: tempfile.TemporaryDirectory[str] | None = None

    @property
    def origin(self) -> Path:
        """Where its files are."""
        return self.notebook if self.folder is None else Path(self.folder.name) / self.notebook.name

    def clean(self) -> None:
        """Remove what was unpacked."""
        if self.folder is not None:
            self.folder.cleanup()


def content_name(notebook: Path, follow: str, files: Sequence[str]) -> tuple[str, str]:
    """What names the content that is followed, cheaply, and the commit of a ref. Raises :class:`RequestError`."""
    if follow.startswith(REF):
        return folder_at(notebook.parent, follow.removeprefix(REF))
    stamps: dict[str, list[int] | None] = {}
    for path in (notebook, *(notebook.parent / file for file in files)):
        try:
            status = path.stat()
            stamps[str(path)] = [status.st_mtime_ns, status.st_size, status.st_ino]
        except OSError:
            stamps[str(path)] = None
    return json.dumps(stamps), ""


def candidate(notebook: Path, follow: str, seen: str, commit: str) -> Candidate:
    """The notebook with the files beside it, as a ref has them or as they are. Raises :class:`RequestError`."""
    found = Candidate(notebook, follow, seen, commit)
    if not commit:
        return found
    folder = tempfile.TemporaryDirectory(prefix="jupyter-pipelines-", ignore_cleanup_errors=True)
    try:
        export(notebook.parent, seen, Path(folder.name))
    except BaseException:
        folder.cleanup()
        raise
    found = replace(found, folder=folder)
    if not found.origin.exists():
        found.clean()
        raise RequestError(f"{follow.removeprefix(REF)} has no {notebook.name} in this folder.", "Commit it there.")
    return found


def publish_candidate(found: Candidate, settings: Settings) -> Version:
    """Publish it, as `check` allows. Raises what :func:`publish` raises."""
    about = f"{found.follow.removeprefix(REF)} at {found.commit[:9]}" if found.commit else "the file as it was saved"
    return publish(found.notebook, message=f"follows {about}", settings=settings, read_from=found.origin)


def followed_of(found: Candidate, version: Version) -> Followed:
    """What is known once it was published.

    Where other files were frozen than those that were looked at, it is looked at once more, with them.
    """
    return Followed("current", found.seen, time.time(), version.id, tuple(file.path for file in version.content.files))


@contextmanager
def first_candidate(notebook: Path, follow: str) -> Iterator[Candidate | None]:
    """What a schedule begins with that follows something; ``None`` for one that does not. Raises RequestError."""
    if not follow:
        yield None
        return
    found = candidate(notebook, follow, *content_name(notebook, follow, ()))
    try:
        yield found
    finally:
        found.clean()


def publish_first(found: Candidate, settings: Settings, *, verify: bool, say: Callable[[str], None]) -> Version:
    """Prove it if it is to be ``verify``-ed, and publish it. Raises :class:`RequestError`, :class:`NotebookError`."""
    if verify:
        say("Verifying the notebook")
        proof = Proof(found, settings)
        try:
            proof.wait()
        finally:
            proof.stop()
        proof.raise_difference()
        if content_name(found.notebook, found.follow, ())[0] != found.seen:
            raise RequestError(f"{found.notebook.name} was changed while it was verified.", "Schedule it again.")
    return publish_candidate(found, settings)


class Proof:
    """A verification in a process of its own: it takes its time, and its memory is its own."""

    def __init__(self, found: Candidate, settings: Settings) -> None:
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  # it is read when the process has ended
        command = "import sys; from jupyter_pipelines.cli import main; sys.exit(main())"
        environment = {name: value for name, value in os.environ.items() if not name.startswith(_OF_ANOTHER)}
        environment |= {"JUPYTER_PIPELINES_HOME": str(settings.home), "JUPYTER_PIPELINES_STORE": settings.store}
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", command, "verify", str(found.origin)],
            stdin=subprocess.DEVNULL,
            stdout=self._said,
            stderr=self._said,
            env=environment,
            start_new_session=True,
        )

    def is_over(self) -> bool:
        """Whether it has come to an end."""
        return self._process.poll() is not None

    def wait(self) -> None:
        """Wait for its end."""
        self._process.wait()

    def raise_difference(self) -> None:
        """Raise :class:`RequestError` with what it said, unless the notebook was proved to be equivalent."""
        if not self._process.returncode:
            return
        self._said.seek(0)
        said = self._said.read().decode("utf-8", "replace").strip()[-_MOST_SAID:]
        raise RequestError(f"`verify` does not pass:\n{said}", "Mend the notebook; it is looked at when it is saved.")

    def stop(self) -> None:
        """End it; what it has started ends with it."""
        with suppress(OSError):
            self._process.terminate()
