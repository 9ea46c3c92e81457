"""Putting right in a notebook's file what `check` finds, as far as there is one way to, and it is no guess."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.typed import typed

if TYPE_CHECKING:
    from jupyter_pipelines.graph.edits import Edit
    from jupyter_pipelines.notebook.parse import ParsedNotebook

MOST_FIXES: Final = 100
_INDENT: Final = re.compile(r"\A\ufeff?\{\r?\n([ \t]+)")


@dataclass(frozen=True)
class Fixed:
    """What was, or would be, put right: ``fixes`` in words, the change as ``diff``; ``written`` says if it is saved."""

    notebook: Path
    fixes: tuple[str, ...]
    diff: str
    written: bool


@typed
def fix(notebook: Path | str, *, write: bool = True) -> Fixed:
    """Put right what `check` finds in a notebook's file, or without ``write`` say how.

    What could be put right in several ways, or only by a value that its author must choose, is left. The file keeps
    its formatting, and is replaced as a whole. Raises :class:`RequestError` when it cannot be read or written, changes
    meanwhile, or is no notebook of format 4 in JSON.
    """
    from jupyter_pipelines.notebook.parse import parse
    from jupyter_pipelines.orchestration.loading import read_source

    path = Path(notebook)
    before = read_source(path)
    parsed = parse(before, path.name)
    if not parsed.readable:
        return Fixed(path, (), "", written=False)  # `check` says what is wrong with it
    if path.suffix != ".ipynb" or not isinstance(_document(before).get("cells"), list):
        raise RequestError(
            f"{path.name} is not in the format of notebooks that is written today.",
            "Open it in JupyterLab: the panel puts right what is found there.",
        )
    content, titles = _put_right(before, path.name)
    changed = parse(content, path.name)
    diff = "".join(difflib.unified_diff(_lines(parsed), _lines(changed), path.name, f"{path.name}, fixed", n=2))
    if write and titles:
        if read_source(path) != before:
            raise RequestError(f"{path.name} was changed while it was looked at.", "Try it again.")
        _write(path, content)
    return Fixed(path, titles, diff, written=bool(write and titles))


def _put_right(content: bytes, name: str) -> tuple[bytes, tuple[str, ...]]:
    """The file with one fix after the other made: each is about the notebook that the one before it has left."""
    titles: list[str] = []
    seen = {content}
    while len(titles) < MOST_FIXES:
        following = next((one for one in _next(content, name) if one[0] not in seen), None)
        if following is None:
            break
        content, title = following
        seen.add(content)
        titles.append(title)
    return content, tuple(titles)


def _next(content: bytes, name: str) -> Iterator[tuple[bytes, str]]:
    """The file as each fix would make it that is the only one of its finding, with its words."""
    from jupyter_pipelines.notebook import read_notebook
    from jupyter_pipelines.results.checking import check

    checked = check(content, name)
    parameters = {one.name for one in checked.pipeline.document.parameters}
    for finding, fixes in zip(checked.pipeline.diagnostics, checked.fixes, strict=True):
        if len(fixes) != 1:
            continue
        edited = _edited(content, fixes[0].edits)
        if {one.name for one in read_notebook(edited, name).parameters} <= parameters:  # a new one's value is a guess
            place = f" in {finding.location}" if finding.location is not None else ""
            yield edited, f"{finding.code}{place}: {fixes[0].title}"


def _edited(content: bytes, edits: Iterable[Edit]) -> bytes:
    """The file with the edits made, formatted as it was."""
    document = _document(content)
    cells = document["cells"]
    for edit in sorted(edits, key=lambda edit: (edit.kind == "insert", -edit.cell)):
        at = edit.cell - 1
        if edit.kind == "tags":
            _tag(cells[at], edit.tags)
        elif edit.kind == "source":
            cells[at]["source"] = _source_like(cells[at].get("source"), edit.source)
        else:
            like = cells[min(at, len(cells) - 1)].get("source") if cells else None
            cells.insert(at, _new_cell(document, edit, like))
    return _formatted(document, content.decode("utf-8")).encode()


def _formatted(document: dict[str, Any], like: str) -> str:
    """The document as text, with the indentation, the escapes and the ends of lines that ``like`` has."""
    indent = _INDENT.match(like)
    dense = indent is None and '": ' not in like[:200]
    written = json.dumps(
        document,
        ensure_ascii=like.isascii() and "\\u" in like,
        indent=indent[1] if indent is not None else None,
        separators=(",", ":") if dense else None,
    )
    if "\r\n" in like:
        written = written.replace("\n", "\r\n")
    mark = "\ufeff" if like.startswith("\ufeff") else ""
    return f"{mark}{written}{like[len(like.rstrip()) :]}"


def _write(path: Path, content: bytes) -> None:
    from jupyter_pipelines.execution.saving import replace_file

    try:
        replace_file(path.resolve(), content.decode("utf-8"))  # through a link, so that the link stays one
    except OSError as error:
        raise RequestError(f"{path} cannot be written: {error.strerror}.", "Check its permissions.") from None


def _tag(cell: dict[str, Any], tags: tuple[str, ...]) -> None:
    metadata = cell.setdefault("metadata", {})
    if tags:
        metadata["tags"] = list(tags)
    else:
        metadata.pop("tags", None)


def _source_like(before: object, source: str) -> str | list[str]:
    """The source as a text or as lines, as the file has it."""
    return source if isinstance(before, str) else source.splitlines(keepends=True)


def _new_cell(document: dict[str, Any], edit: Edit, like: object) -> dict[str, Any]:
    import uuid

    minor = document.get("nbformat_minor")
    cell: dict[str, Any] = {"cell_type": "code", "execution_count": None}
    if isinstance(minor, int) and minor >= 5:
        cell["id"] = uuid.uuid5(uuid.NAMESPACE_OID, f"{edit.cell} {edit.source} {len(document['cells'])}").hex[:8]
    cell["metadata"] = {"tags": list(edit.tags)} if edit.tags else {}
    return {**cell, "outputs": [], "source": _source_like(like, edit.source)}


def _document(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content.decode("utf-8-sig"))
    except ValueError:  # one of text, or in another encoding
        return {}
    return found if isinstance(found, dict) else {}


def _lines(parsed: ParsedNotebook) -> list[str]:
    """The notebook as text to be compared: each cell with its tags above it."""
    lines: list[str] = []
    for cell in parsed.cells:
        lines.append(f"# %% {', '.join(cell.tags)}".rstrip() + "\n")
        lines += [f"{line}\n" for line in cell.source.splitlines()]
    return lines
