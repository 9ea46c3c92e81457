"""How text leaves the command line: JSON for scripts, rich text for terminals, plain lines for pipes."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console

# Everything below a space but the newline and the tab, and the C1 range: an escape sequence in a notebook must not
# drive the reader's terminal. The directional overrides would let a name pose as another one.
_CONTROL = str.maketrans(
    "",
    "",
    "".join(map(chr, [*range(9), *range(11, 32), *range(127, 160), *range(0x202A, 0x202F), *range(0x2066, 0x206A)])),
)


# A whole control sequence (colours, cursor movements) or operating system command, as ECMA-48 has them.
_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\))")


def clean(text: str) -> str:
    """``text`` without control sequences and characters, safe to show in a terminal."""
    return _SEQUENCE.sub("", text).translate(_CONTROL)


def print_json(document: Mapping[str, object]) -> None:
    """The one JSON document of a command, on standard output."""
    print(json.dumps(document, indent=2, ensure_ascii=False, default=_plain))


def _plain(value: object) -> object:
    """JSON for what the standard encoder does not know: parameters may hold dates, paths, enum members …"""
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    if isinstance(value, Path):
        return str(value)
    isoformat = getattr(value, "isoformat", None)
    return isoformat() if callable(isoformat) else str(value)


def is_terminal(stream: TextIO) -> bool:
    """Whether a person looks at ``stream`` through something that understands cursor movements."""
    return stream.isatty() and os.environ.get("TERM", "") not in {"", "dumb"}


def console(stream: TextIO | None = None) -> Console:
    """A rich console on ``stream`` (standard output by default).

    It honours ``NO_COLOR``; where no terminal is, lines are as long as they need to be, so that `grep` finds them.
    """
    from rich.console import Console

    stream = stream or sys.stdout
    return Console(
        file=stream,
        highlight=False,
        emoji=False,
        markup=False,
        soft_wrap=False,
        width=None if stream.isatty() else 1000,
    )


def duration(seconds: float) -> str:
    """``0.4 s``, ``12 s``, ``3 min 05 s``, ``2 h 10 min``."""
    if seconds < 9.95:
        return f"{max(seconds, 0):.1f} s"
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def size(number: int) -> str:
    """Bytes for people: ``51 MB``."""
    amount = float(number)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 999.5:
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 9.95 else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def short_path(path: str | Path) -> str:
    """``path`` relative to where the user is when it lies below, else as it is."""
    path = Path(path)
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def count(number: int, noun: str) -> str:
    """``1 step``, ``2 steps``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def write_file(name: str | Path, content: str) -> None:
    """Write ``content`` so that the file is whole or as it was; raises :class:`RequestError` when it cannot be."""
    import tempfile

    from jupyter_pipelines.errors import RequestError
    from jupyter_pipelines.execution.saving import umask

    path = Path(os.path.expanduser(name))
    temporary = None
    try:
        target = path.resolve()  # through a link, so that the link stays one
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~umask()
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", newline="", dir=target.parent, delete=False) as file:
            temporary = Path(file.name)
            file.write(content)
        temporary.chmod(mode)
        temporary.replace(target)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise RequestError(f"{name} cannot be written: {error.strerror}.", "Choose another place.") from None
