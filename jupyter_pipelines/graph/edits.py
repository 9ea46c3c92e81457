"""Edits of a notebook's cells: their tags, their source, a new cell. Nothing is written: a face carries them out.

Numbers of cells are those of the notebook before any of the edits; of a fix's edits one at most is about a cell.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from jupyter_pipelines.notebook.model import Cell, NotebookDocument, Role
from jupyter_pipelines.notebook.parse import ParsedNotebook, RawCell
from jupyter_pipelines.notebook.role_magics import ROLE_MAGICS, is_role_magic
from jupyter_pipelines.notebook.tags import read_tags

_MAGIC = re.compile(rf"[ \t]*%%({'|'.join(ROLE_MAGICS)})\b[^\n]*\n?")
_STEP = re.compile(r"([ \t]*%%step[ \t]+)([^\s#]+)")


@dataclass(frozen=True, slots=True)
class Edit:
    """``tags``: all tags of the cell afterwards; ``source``: its source; ``insert``: a code cell before ``cell``."""

    kind: Literal["tags", "source", "insert"]
    cell: int  # number; of an insertion at the end, one more than there are
    tags: tuple[str, ...] = ()
    source: str = ""

    def to_json(self) -> dict[str, object]:
        """``kind``, ``cell``, and ``tags`` or ``source`` or both, as the kind has them."""
        found: dict[str, object] = {"kind": self.kind, "cell": self.cell}
        if self.kind != "source":
            found["tags"] = list(self.tags)
        if self.kind != "tags":
            found["source"] = self.source
        return found


def edited(parsed: ParsedNotebook, edits: Iterable[Edit]) -> ParsedNotebook:
    """The notebook with the edits made."""
    cells = list(parsed.cells)
    for edit in sorted(edits, key=lambda edit: (edit.kind == "insert", -edit.cell)):
        at = edit.cell - 1
        if edit.kind == "tags":
            cells[at] = replace(cells[at], tags=edit.tags)
        elif edit.kind == "source":
            cells[at] = replace(cells[at], source=edit.source)
        else:
            cells.insert(at, RawCell(at, f"inserted-{at}", "code", edit.source, {}, edit.tags))
    cells = [replace(cell, index=index) for index, cell in enumerate(cells)]
    return ParsedNotebook(parsed.content, cells, parsed.metadata, list(parsed.diagnostics), readable=True)


@dataclass
class Draft:
    """Tags and sources on their way to being edits. Cells are named by their numbers."""

    document: NotebookDocument
    inserted: list[Edit] = field(default_factory=list)
    _tags: dict[int, tuple[str, ...]] = field(default_factory=dict)
    _sources: dict[int, str] = field(default_factory=dict)

    @property
    def edits(self) -> tuple[Edit, ...]:
        """What differs from the notebook as it is."""
        cell = self.document.cell
        tags = [Edit("tags", number, new) for number, new in sorted(self._tags.items()) if new != cell(number).tags]
        sources = [
            Edit("source", number, source=new)
            for number, new in sorted(self._sources.items())
            if new != cell(number).source
        ]
        return (*tags, *sources, *self.inserted)

    def tags(self, number: int) -> tuple[str, ...]:
        """The tags of a cell, as they are by now."""
        return self._tags.get(number, self.document.cell(number).tags)

    def source(self, number: int) -> str:
        """The source of a cell, as it is by now."""
        return self._sources.get(number, self.document.cell(number).source)

    def tag(self, number: int, tags: Sequence[str]) -> None:
        """Give a cell these tags, each once."""
        self._tags[number] = tuple(dict.fromkeys(tags))

    def write(self, number: int, source: str) -> None:
        """Give a cell this source."""
        self._sources[number] = source

    def insert(self, before: int, tags: tuple[str, ...], source: str) -> None:
        """Put a code cell before the one with this number."""
        self.inserted.append(Edit("insert", before, tags, source))

    def clear_role(self, number: int) -> None:
        """Take every role from a cell; cells that have theirs from it keep it."""
        cell = self.document.cell(number)
        if cell.role is Role.STEP and cell.step is not None and self.claims(number):
            heir = self._heir(cell)
            if heir is not None:
                after = [tag for tag in self.tags(number) if tag.startswith("after:")]
                self.tag(heir.number, [f"step:{cell.step}", *after, *self.tags(heir.number)])
        roles = {claim.word for claim in read_tags(self.tags(number)).claims}
        left = [tag for tag in self.tags(number) if tag not in roles and not tag.startswith("after:")]
        self.tag(number, left)
        self.write(number, without_magic(self.source(number)))

    def make(self, number: int, tag: str) -> None:
        """Give a cell one role, by its tag."""
        self.clear_role(number)
        self.tag(number, [*self.tags(number), tag])

    def rename(self, old: str, new: str, numbers: Iterable[int] | None = None) -> None:
        """Call a step by another name: in these cells, in all unless given, and wherever others come after it."""
        chosen = None if numbers is None else set(numbers)
        for cell in self.document.cells:
            if cell.role is Role.TEXT:
                continue
            number = cell.number
            if chosen is None or number in chosen:
                claims = {claim.word for claim in read_tags(self.tags(number)).claims if claim.step == old}
                self.tag(number, [f"step:{new}" if tag in claims else tag for tag in self.tags(number)])
                self.write(number, _with_magic_name(self.source(number), old, new))
            if chosen is None:
                tags = [f"after:{new}" if tag == f"after:{old}" else tag for tag in self.tags(number)]
                self.tag(number, [tag for tag in tags if cell.step not in {old, new} or tag != f"after:{new}"])

    def claims(self, number: int) -> bool:
        """Whether a cell says itself what it is."""
        return bool(read_tags(self.tags(number)).claims) or has_magic(self.source(number))

    def _heir(self, cell: Cell) -> Cell | None:
        """The next cell that is in the cell's step because it stands below it."""
        for other in self.document.cells[cell.index + 1 :]:
            if other.role is Role.TEXT:
                continue
            if not self.claims(other.number):
                return other if other.step == cell.step else None
            if other.role is Role.STEP:
                return None
        return None


def has_magic(source: str) -> bool:
    """Whether a cell begins with a magic that gives it a role."""
    first = next((line.strip() for line in source.splitlines() if line.strip()), "")
    return is_role_magic(first)


def without_magic(source: str) -> str:
    """The source without that magic."""
    return _MAGIC.sub("", source, count=1) if has_magic(source) else source


def _with_magic_name(source: str, old: str, new: str) -> str:
    found = _STEP.search(source) if has_magic(source) else None
    if found is None or found[2].strip("\"'") != old:
        return source
    return source[: found.start(2)] + new + source[found.end(2) :]
