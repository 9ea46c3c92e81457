"""From bytes to the cells of a notebook, whatever is wrong with the bytes.

Works on plain JSON and never validates against nbformat's schema: that costs seconds for large outputs, and a
notebook that breaks the schema in a place we do not read is still a notebook.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from jupyter_pipelines.diagnostics import Diagnostic
from jupyter_pipelines.notebook.codes import Problem
from jupyter_pipelines.notebook.model import first_line

if TYPE_CHECKING:
    from nbformat import NotebookNode

TEXT_NOTEBOOKS = frozenset({".py", ".md", ".rmd", ".qmd", ".r", ".jl", ".myst"})

_CELL_TYPES = frozenset({"code", "markdown", "raw"})
_CONFLICT = re.compile(r"^(<{7}|>{7}) ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class RawCell:
    """One cell as the file has it, made regular."""

    index: int
    id: str
    kind: str  # "code", "markdown" or "raw"
    source: str
    metadata: dict[str, Any]
    tags: tuple[str, ...]

    @property
    def number(self) -> int:
        return self.index + 1

    @property
    def first_line(self) -> str:
        return first_line(self.source)


@dataclass(slots=True)
class ParsedNotebook:
    """A notebook's JSON in format 4 with regular cells; ``readable`` is false when there was nothing to read."""

    content: dict[str, Any] = field(default_factory=dict)
    cells: list[RawCell] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    readable: bool = False


class UnreadableError(Exception):
    """Ends parsing with one finding."""

    def __init__(self, code: str, message: str, fix: str) -> None:
        super().__init__(message)
        self.problem = Problem(code, message, fix)


def parse(source: bytes | str, name: str) -> ParsedNotebook:
    """Read a notebook into regular cells. Never raises for its content: what is wrong is in ``diagnostics``."""
    parsed = ParsedNotebook()
    try:
        text = _decode(source)
        suffix = PurePath(name).suffix.lower()
        raw = _read_text_notebook(text, suffix) if suffix in TEXT_NOTEBOOKS else _read_json(text)
        content = _to_format_4(raw, text, parsed.diagnostics)
    except UnreadableError as reason:
        parsed.diagnostics.append(reason.problem.at(None))
        return parsed
    parsed.readable = True
    parsed.content = content
    parsed.metadata = _mapping(content.get("metadata"), "The notebook's metadata", parsed.diagnostics)
    _read_cells(content["cells"], parsed)
    return parsed


def parse_notebook(source: bytes | str, name: str) -> NotebookNode | None:
    """The notebook as nbformat 4.5 node, for execution; ``None`` when it cannot be read at all.

    The same tolerant parse as ``read_notebook``: cell positions and ids agree with the document's.
    """
    parsed = parse(source, name)
    if not parsed.readable:
        return None
    return to_node(parsed)


def to_node(parsed: ParsedNotebook) -> NotebookNode:
    """A parsed notebook as an nbformat node of its own: changing it does not change ``parsed``."""
    from nbformat import NotebookNode, from_dict
    from nbformat.v4.rwbase import rejoin_lines

    cells = [
        _regular_cell(cell, original) for cell, original in zip(parsed.cells, parsed.content["cells"], strict=True)
    ]
    content = {"cells": cells, "metadata": parsed.metadata, "nbformat": 4, "nbformat_minor": 5}
    node = from_dict(content)
    joined = rejoin_lines(node)
    assert isinstance(joined, NotebookNode)
    return joined


def to_original_node(parsed: ParsedNotebook) -> NotebookNode:
    """A parsed notebook as an nbformat node that keeps everything as the file has it, for writing it back.

    A notebook that was upgraded, or has malformed cells, can only be given as :func:`to_node` gives it.
    """
    import copy

    from nbformat import NotebookNode, from_dict
    from nbformat.v4.rwbase import rejoin_lines

    regular = all(
        isinstance(given, dict) and isinstance(given.get("metadata", {}), dict) and given.get("cell_type") == cell.kind
        for given, cell in zip(parsed.content["cells"], parsed.cells, strict=True)
    )
    if not regular or parsed.content.get("nbformat") != 4:
        return to_node(parsed)
    joined = rejoin_lines(from_dict(copy.deepcopy(parsed.content)))
    assert isinstance(joined, NotebookNode)
    return joined


def _regular_cell(cell: RawCell, original: object) -> dict[str, Any]:
    regular: dict[str, Any] = {
        "id": cell.id,
        "cell_type": cell.kind,
        "metadata": cell.metadata,
        "source": cell.source,
    }
    given = original if isinstance(original, dict) else {}
    if cell.kind == "code":
        outputs = given.get("outputs")
        count = given.get("execution_count")
        regular["outputs"] = [o for o in outputs if isinstance(o, dict)] if isinstance(outputs, list) else []
        regular["execution_count"] = count if isinstance(count, int) else None
    elif isinstance(given.get("attachments"), dict):
        regular["attachments"] = given["attachments"]
    return regular


def _decode(source: bytes | str) -> str:
    if isinstance(source, bytes):
        try:
            source = source.decode("utf-8-sig" if source[:3] == b"\xef\xbb\xbf" else json.detect_encoding(source))
        except UnicodeDecodeError as error:
            raise UnreadableError(
                "JP101",
                f"The file is not text: byte {error.start} is not valid {error.encoding}.",
                "Save the notebook again from Jupyter; notebooks are UTF-8 text.",
            ) from None
    source = source.removeprefix("\ufeff")
    if not source.strip():
        raise UnreadableError(
            "JP102", "The file is empty.", "Open it in Jupyter and save it, or restore it from a backup."
        )
    return source


def _read_json(text: str) -> dict[str, Any]:
    try:
        raw = json.loads(text)
    except RecursionError:
        raise UnreadableError("JP101", "The file is nested too deeply for a notebook.", "Restore it.") from None
    except ValueError as error:
        raise _corrupt(text, error) from None
    if not isinstance(raw, dict):
        raise UnreadableError(
            "JP103",
            f"The file is JSON but holds a {_kind(raw)}, not a notebook.",
            "Give the path of an .ipynb file that Jupyter saved.",
        )
    return raw


def _corrupt(text: str, error: ValueError) -> UnreadableError:
    if conflict := _CONFLICT.search(text):
        line = text.count("\n", 0, conflict.start()) + 1
        return UnreadableError(
            "JP101",
            f"The file has an unresolved merge conflict at line {line} of the file.",
            "Resolve the conflict (nbdime can: `nbdime mergetool`), then try again.",
        )
    place = ""
    if isinstance(error, json.JSONDecodeError):
        if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string"):
            place = f", it ends too early (line {error.lineno} of the file)"
        else:
            place = f": {error.msg} at line {error.lineno}, column {error.colno} of the file"
    return UnreadableError(
        "JP101",
        f"The file is not valid JSON{place}.",
        "Restore it from a checkpoint, a backup or version control; an .ipynb file is JSON.",
    )


def _read_text_notebook(text: str, suffix: str) -> dict[str, Any]:
    if importlib.util.find_spec("jupytext") is None:
        raise UnreadableError(
            "JP111",
            f"A {suffix} notebook is read through jupytext, which is not installed.",
            "Install it (`pip install jupytext`), or give an .ipynb file.",
        )
    import jupytext

    try:
        node = jupytext.reads(text, fmt=suffix.removeprefix("."))
    except Exception as error:  # jupytext has no error class of its own
        raise UnreadableError(
            "JP111",
            f"jupytext could not read the file as a {suffix} notebook: {error}",
            "Check the YAML header and the cell markers (`# %%` in .py files).",
        ) from None
    content = dict(node)
    # jupytext invents ids at every read; without them stable ones are made from the source
    content["cells"] = [{key: value for key, value in cell.items() if key != "id"} for cell in node["cells"]]
    return content


def _to_format_4(raw: dict[str, Any], text: str, diagnostics: list[Diagnostic]) -> dict[str, Any]:
    major = raw.get("nbformat")
    if isinstance(raw.get("cells"), list) and (major == 4 or not isinstance(major, int)):
        if major != 4:
            diagnostics.append(
                Problem(
                    "JP107",
                    "The notebook does not state its format; it is read as format 4.",
                    "Open it in Jupyter and save it.",
                ).at(None)
            )
        return raw
    if isinstance(major, int) and not isinstance(major, bool) and major > 4:
        raise UnreadableError(
            "JP105",
            f"The notebook is in format {major}; formats up to 4 are known.",
            "Save it in format 4, or upgrade jupyter_pipelines.",
        )
    if isinstance(major, int) and (major in (1, 2, 3)) and ("worksheets" in raw or "cells" in raw):
        content = _upgrade(text, major)
        diagnostics.append(
            Problem(
                "JP104",
                f"The notebook is in format {major} and was upgraded to format 4 in memory.",
                "Open it in Jupyter and save it to upgrade the file.",
            ).at(None)
        )
        return content
    raise UnreadableError(
        "JP103",
        "The file is JSON but not a notebook: it has no list of cells.",
        "Give the path of an .ipynb file that Jupyter saved.",
    )


def _upgrade(text: str, major: int) -> dict[str, Any]:
    import logging

    from nbformat.converter import convert
    from nbformat.reader import reads

    log = logging.getLogger("Traitlets")
    level = log.level
    log.setLevel(logging.CRITICAL)  # nbformat logs every deviation from the schema as an error
    try:
        node = convert(reads(text), 4)
    except Exception as error:  # a damaged old notebook fails anywhere inside the conversion
        raise UnreadableError(
            "JP105",
            f"The notebook is in format {major} and could not be upgraded: {type(error).__name__}: {error}",
            "Open it in Jupyter, repair it there and save it.",
        ) from None
    finally:
        log.setLevel(level)
    content: dict[str, Any] = json.loads(json.dumps(node))
    for cell in content["cells"]:
        cell.pop("id", None)  # invented by the conversion; stable ones are made from the source
    return content


def _read_cells(cells: Sequence[object], parsed: ParsedNotebook) -> None:
    seen: set[str] = set()
    for index, given in enumerate(cells):
        problems: list[Problem] = []
        cell = _read_cell(index, given, seen, problems)
        parsed.cells.append(cell)
        parsed.diagnostics.extend(problem.at(cell) for problem in problems)


def _read_cell(index: int, given: object, seen: set[str], problems: list[Problem]) -> RawCell:
    if not isinstance(given, dict):
        problems.append(Problem("JP107", f"The cell is a {_kind(given)}, not an object; it is ignored.", "Remove it."))
        return RawCell(index, _make_id("", seen), "raw", "", {}, ())
    kind = given.get("cell_type")
    if not isinstance(kind, str) or kind not in _CELL_TYPES:
        problems.append(
            Problem("JP107", f"The cell's type is {kind!r}; it is treated as text.", "Make it a code or markdown cell.")
        )
        kind = "raw"
    source = _source(given.get("source", given.get("input")), problems)
    metadata = given.get("metadata", {})
    if not isinstance(metadata, dict):
        problems.append(
            Problem("JP112", f"The cell's metadata is a {_kind(metadata)}, not an object.", "Make it an object: {}.")
        )
        metadata = {}
    tags = _tags(metadata.get("tags", []), problems)
    identity = given.get("id")
    if not (isinstance(identity, str) and identity):
        identity = _make_id(source, seen)
    elif identity in seen:
        problems.append(Problem("JP108", f"The cell's id {identity!r} is an earlier cell's.", "Save it in Jupyter."))
        identity = _make_id(source, seen)
    seen.add(identity)
    return RawCell(index, identity, str(kind), source, metadata, tags)


def _source(given: object, problems: list[Problem]) -> str:
    if isinstance(given, str):
        return given
    if isinstance(given, list) and all(isinstance(line, str) for line in given):
        return "".join(given)
    problems.append(Problem("JP107", "The cell has no readable source; it is taken as empty.", "Remove the cell."))
    return ""


def _tags(given: object, problems: list[Problem]) -> tuple[str, ...]:
    if isinstance(given, list):
        wrong = [tag for tag in given if not isinstance(tag, str)]
        if wrong:
            problems.append(
                Problem("JP112", f"The cell has a tag that is not text: {wrong[0]!r:.60}.", "Remove it from the tags.")
            )
        return tuple(dict.fromkeys(tag for tag in given if isinstance(tag, str)))
    problems.append(
        Problem(
            "JP112",
            f"The cell's tags are a {_kind(given)}, not a list, so its role cannot be known.",
            'Make them a list of texts: "tags": ["step:NAME"].',
        )
    )
    return ()


def _make_id(source: str, seen: set[str]) -> str:
    """An id from the source: the same however often the notebook is read, and when other cells come and go."""
    digest = hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()
    count = 0
    while (identity := f"{digest[:8]}-{count}" if count else digest[:8]) in seen:
        count += 1
    seen.add(identity)
    return identity


def _mapping(given: object, what: str, diagnostics: list[Diagnostic]) -> dict[str, Any]:
    if isinstance(given, dict):
        return given
    if given is not None:
        diagnostics.append(Problem("JP112", f"{what} is a {_kind(given)}, not an object.", "Make it {}.").at(None))
    return {}


def _kind(value: object) -> str:
    names = {dict: "object", list: "list", str: "text", bool: "truth value", int: "number", float: "number"}
    return names.get(type(value), "null")
