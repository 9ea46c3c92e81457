"""A cell's text output as Jupyter keeps it: pieces joined, overwritten lines gone, floods cut with a note."""

from __future__ import annotations

from nbformat import NotebookNode

LIMIT = 20_000_000
"""Characters of one stream output that are kept; the rest is counted, and said to be missing."""


class StreamOutput:
    """Collects the pieces of one stream output without copying what is there for each new piece."""

    def __init__(self, output: NotebookNode) -> None:
        self.output = output
        self._pieces: list[str] = []
        self._pending = 0
        self._kept = len(output["text"])
        self._dropped = 0

    def append(self, text: str) -> None:
        """Add a piece. The output's text may lag behind until :meth:`settle`."""
        room = LIMIT - self._kept
        if len(text) > room:
            self._dropped += len(text) - max(room, 0)
            text = text[: max(room, 0)]
        if text:
            self._pieces.append(text)
            self._pending += len(text)
            self._kept += len(text)
            if self._pending > len(self.output["text"]):  # doubling: each character is copied a few times at most
                self._join()

    def settle(self, *, final: bool = False) -> None:
        """Bring the output's text up to date; ``final`` also applies carriage returns and notes what was cut."""
        self._join()
        if final:
            text = overwrite(self.output["text"])
            if self._dropped:
                text += f"\n[{self._dropped:,} more characters were printed here and are not kept]\n"
                self._dropped = 0
            self.output["text"] = text

    def _join(self) -> None:
        if self._pieces:
            self.output["text"] += "".join(self._pieces)
            self._pieces.clear()
            self._pending = 0


def overwrite(text: str) -> str:
    r"""Apply ``\r`` within each line as a terminal (and JupyterLab) does: later text covers what it overlaps."""
    if "\r" not in text:
        return text
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join(_overwrite_line(line) if "\r" in line else line for line in lines)


def _overwrite_line(line: str) -> str:
    shown = ""
    last = line.endswith("\r")
    for part in line.split("\r"):
        shown = part + shown[len(part) :]
    # A return at the very end has not overwritten anything yet: what follows may.
    return shown + "\r" if last else shown
