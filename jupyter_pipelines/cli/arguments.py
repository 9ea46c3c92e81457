"""What several commands ask for alike: a notebook, parameters, the format of the report."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_pipelines.errors import RequestError

if TYPE_CHECKING:
    from jupyter_pipelines.graph.model import Pipeline
    from jupyter_pipelines.notebook.model import NotebookDocument

_CLOSING = {"[": "]", "(": ")", "{": "}"}


def add_format(parser: argparse.ArgumentParser, *more: str) -> None:
    """``--format text|json``, with ``more`` formats between."""
    parser.add_argument(
        "--format", choices=["text", *more, "json"], default="text", help="json: one document on standard output"
    )


def add_notebook(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("notebook", metavar="NB", help="the notebook (.ipynb; .py and .md where jupytext is installed)")


def add_parameters(parser: argparse.ArgumentParser) -> None:
    """``-p name=value`` and ``-f file``."""
    parser.add_argument(
        "-p",
        "--parameter",
        dest="parameters",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="set a parameter; the text is read as the parameter's type (may be repeated)",
    )
    parser.add_argument(
        "-f",
        "--parameters-file",
        metavar="FILE",
        help="take parameters from a YAML or JSON file; -p wins over it",
    )


def notebook_path(text: str) -> Path:
    """The notebook that a user named; raises :class:`RequestError` when it cannot be one."""
    path = Path(os.path.expanduser(text))
    try:
        if path.is_dir():
            raise RequestError(f"{text} is a folder, not a notebook.", "Name a notebook in it.")
        if not path.exists():
            raise RequestError(f"There is no notebook {text}.", _nearby(path))
        with path.open("rb"):
            pass
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        reason = getattr(error, "strerror", None) or str(error)
        raise RequestError(f"{text} cannot be read: {reason}.", "Check the name and its permissions.") from None
    return path


def require_known(name: str | None) -> None:
    """Raise :class:`RequestError` for a notebook that there is not, and of which nothing is known."""
    if name is not None:
        from jupyter_pipelines.orchestration.versions.identity import known_pipeline
        from jupyter_pipelines.settings import Settings
        from jupyter_pipelines.store import Store

        known_pipeline(Store(Settings.load().store), name)


def _nearby(path: Path) -> str:
    from difflib import get_close_matches
    from glob import escape

    try:
        names = [item.name for item in path.parent.iterdir() if item.suffix in {".ipynb", ".py", ".md"}]
    except OSError:
        return f"There is no folder {path.parent} either; check the path."
    if guess := get_close_matches(path.name, names, 1):
        return f"Did you mean {path.parent / guess[0]}?"
    below = next(path.parent.glob(f"*/{escape(path.name)}"), None)
    return f"Did you mean {below}?" if below else "Check the path."


def load_pipeline(text: str) -> Pipeline:
    """Compile the notebook a user named, with what earlier runs have seen; its errors are its diagnostics."""
    from jupyter_pipelines.orchestration import load

    return load(notebook_path(text))


def read_parameters(document: NotebookDocument, assignments: Sequence[str], file: str | None) -> dict[str, object]:
    """Values for ``document``'s parameters from ``-f`` and ``-p``, the latter winning.

    Raises :class:`RequestError` that lists every unknown or ill-typed one.
    """
    from jupyter_pipelines.notebook import coerce_parameters

    texts: dict[str, str] = {}
    for assignment in assignments:
        name, value = split_assignment(assignment, "-p")
        texts[name] = value
    values = {name: value for name, value in _read_file(file).items() if name not in texts} if file else {}
    problems: list[RequestError] = []
    coerced: dict[str, object] = {}
    for given, from_text in ((values, False), (texts, True)):
        try:
            coerced |= coerce_parameters(document, given, from_text=from_text, partial=True)
        except RequestError as problem:
            problems.append(problem)
    if problems:
        raise RequestError("\n".join(problem.message for problem in problems), problems[0].fix)
    return coerced


def read_grid(document: NotebookDocument, options: Sequence[str]) -> dict[str, list[object]]:
    """``--grid alpha=0.1,1,10`` as lists of values of the parameter's type; raises :class:`RequestError`."""
    from jupyter_pipelines.notebook import coerce_parameters

    grid: dict[str, list[object]] = {}
    for option in options:
        name, text = split_assignment(option, "--grid")
        if name in grid:
            raise RequestError(f"--grid names {name} twice.", f"Give all its values at once: --grid {name}=A,B,C")
        parts = split_values(text)
        grid[name] = [coerce_parameters(document, {name: part}, from_text=True, partial=True)[name] for part in parts]
    return grid


def split_assignment(text: str, option: str) -> tuple[str, str]:
    """``name=value`` in two; raises :class:`RequestError` when it is not that."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise RequestError(f"{option} {text} is not of the form NAME=VALUE.", f"Write {option} NAME=VALUE.")
    return name.strip(), value


def split_values(text: str) -> list[str]:
    """Split at commas that are in neither quotes nor brackets; quotes around a whole value are taken off.

    >>> split_values('0.1,1,10')
    ['0.1', '1', '10']
    >>> split_values('"a,b",c,[1,2]')
    ['a,b', 'c', '[1,2]']
    """
    parts, current, quote, closing = [], "", "", ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'" and (closing or not current.strip()):  # an apostrophe within a word is no quote
            quote = character
        elif character in _CLOSING:
            closing += _CLOSING[character]
        elif closing and character == closing[-1]:
            closing = closing[:-1]
        elif character == "," and not closing:
            parts.append(current)
            current = ""
            continue
        current += character
    if quote or closing:
        raise RequestError(f"In --grid …={text} a {quote or closing[-1]} is missing.", "Close the quote or bracket.")
    return [_unquote(part.strip()) for part in [*parts, current]]


def _unquote(text: str) -> str:
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" and text[0] not in text[1:-1]
    return text[1:-1] if quoted else text


def _read_file(name: str) -> Mapping[str, object]:
    try:
        content = Path(os.path.expanduser(name)).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise RequestError(
            f"The parameters in {name} cannot be read: {reason}.", "Check the name of the file."
        ) from None
    values = _parse(name, content)
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise RequestError(f"{name} holds no mapping of parameters.", "Write one `name: value` per line.")
    return {str(key): value for key, value in values.items()}


def _parse(name: str, content: str) -> object:
    if name.endswith(".json"):
        import json

        try:
            return json.loads(content)
        except RecursionError:
            raise RequestError(f"{name} is nested too deeply.", "Mend the file.") from None
        except ValueError as error:
            raise RequestError(f"{name} is not JSON: {error}.", "Mend the file.") from None
    import yaml

    try:
        return yaml.safe_load(content)
    except RecursionError:
        raise RequestError(f"{name} is nested too deeply.", "Mend the file.") from None
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        where = f" in line {place.line + 1}" if place is not None else ""
        problem = getattr(error, "problem", None) or str(error)
        raise RequestError(f"{name} is not YAML{where}: {problem}.", "Mend the file.") from None


def known_step(pipeline: Pipeline, name: str) -> str:
    """``name`` if the pipeline has such a step; else raises :class:`RequestError` that lists those it has."""
    from difflib import get_close_matches

    names = [step.name for step in pipeline.steps]
    if name in names:
        return name
    guess = get_close_matches(name, names, 1)
    fix = f"Did you mean {guess[0]}?" if guess else f"The steps are: {', '.join(names) or 'none'}."
    raise RequestError(f"{pipeline.document.name} has no step {name!r}.", fix)


def positive_int(text: str) -> int:
    """An argparse type: a whole number from 1 up."""
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 up")
