"""Logs that cannot be written are no reason to end: on a full disk every line that is printed would raise."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any, TextIO, cast


class _Forgiving:
    """A text stream that drops what cannot be written."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError):
            return self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def make_output_forgiving() -> None:
    """Have what this process prints be dropped where it cannot be written."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if not isinstance(stream, _Forgiving):
            setattr(sys, name, cast(TextIO, _Forgiving(stream)))
