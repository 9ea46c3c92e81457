"""Which local modules a notebook imports: found in its text, beside it and where it extends ``sys.path``.

A package is taken whole, so that what it imports by name at run time is there too. ``%run script.py`` counts as an
import of the script.
"""

from __future__ import annotations

import ast
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from jupyter_pipelines.notebook.parsing import parse_python
from jupyter_pipelines.orchestration.versions.paths import IGNORED, is_below

_EXTENSIONS = ("*.so", "*.pyd")


@dataclass
class LocalModules:
    """What was found. ``outside`` maps a module's name to its file outside of the notebook's folder."""

    files: set[Path] = field(default_factory=set)
    outside: dict[str, Path] = field(default_factory=dict)
    foreign: set[str] = field(default_factory=set)  # top-level modules that are not local


@dataclass(frozen=True)
class _Wanted:
    name: str
    certain: bool  # else it may be a name in a module just as well


def find_local_modules(sources: Iterable[str], folder: Path) -> LocalModules:
    """The modules below ``folder`` that Python ``sources`` run there import, and those import in turn."""
    found = LocalModules()
    roots = [folder]
    waiting: list[tuple[str, str]] = [(source, "") for source in sources]  # source and the package it is in
    seen: set[Path] = set()
    while waiting:
        source, package = waiting.pop()
        try:
            tree = parse_python(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        roots += [root for root in _added_roots(tree, folder) if root not in roots]
        for path in _scripts(tree, folder):
            if path not in seen:
                seen.add(path)
                found.files.add(path)
                waiting.append((_text(path), ""))
        for wanted in _imports(tree, package):
            for path, name in _resolve(wanted.name, roots):
                if path in seen:
                    continue
                seen.add(path)
                if is_below(path, folder):
                    found.files.add(path)
                    waiting.append((_text(path) if path.suffix == ".py" else "", name))
                else:
                    found.outside[wanted.name] = path
            if wanted.certain and not any(_resolve(wanted.name.partition(".")[0], roots, spaces=True)):
                found.foreign.add(wanted.name.partition(".")[0])
    return found


def _imports(tree: ast.AST, package: str) -> Iterator[_Wanted]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield _Wanted(alias.name, True)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1] if package else []
                base = ".".join([*above, *([base] if base else [])])
            if base:
                yield _Wanted(base, not node.level)
                for alias in node.names:
                    yield _Wanted(f"{base}.{alias.name}", False)


def _resolve(name: str, roots: Iterable[Path], *, spaces: bool = False) -> Iterator[tuple[Path, str]]:
    """The files that importing ``name`` reads, each with the package it is in; the first root that has it counts.

    With ``spaces`` a folder without ``__init__.py``, a namespace package, counts as well.
    """
    for root in roots:
        place, parts = root, name.split(".")
        for index, part in enumerate(parts):
            inside = ".".join(parts[:index])
            if (place / part / "__init__.py").is_file():
                for path in _package_files(place / part):
                    relative = path.relative_to(place / part).parent.parts
                    yield path, ".".join([*parts[: index + 1], *relative])
                return
            files = [place / f"{part}.py", *(one for pattern in _EXTENSIONS for one in place.glob(f"{part}.{pattern}"))]
            files += [place / f"{part}.so", place / f"{part}.pyd"]
            existing = [path for path in files if path.is_file()]
            if existing:
                yield existing[0], inside
                return
            place /= part
            if not place.is_dir() or part in IGNORED:
                break
        else:
            if spaces:
                yield place, name
                return


def _package_files(package: Path) -> Iterator[Path]:
    for path in sorted(package.rglob("*")):
        if path.suffix in {".py", ".so", ".pyd"} and not IGNORED.intersection(path.parts) and path.is_file():
            yield path


def _added_roots(tree: ast.AST, folder: Path) -> Iterator[Path]:
    """Folders that constant texts in ``sys.path.append(…)``, ``insert`` and ``extend`` name."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in {"append", "insert", "extend"}
            and isinstance(node.func.value, ast.Attribute)
            and node.func.value.attr == "path"
        ):
            for text in _texts(node.args):
                root = folder / text
                if text and "\0" not in text and root.is_dir():
                    yield root


def _scripts(tree: ast.AST, folder: Path) -> Iterator[Path]:
    """Python files below ``folder`` that ``%run`` names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "run_line_magic":
            magic, *line = _texts(node.args)
            if magic != "run":
                continue
            try:
                words = shlex.split(" ".join(line))
            except ValueError:
                continue
            for word in words:
                path = folder / word
                if word.endswith(".py") and "\0" not in word and path.is_file() and is_below(path, folder):
                    yield path
                    break


def _texts(nodes: Iterable[ast.AST]) -> list[str]:
    return [
        inner.value
        for node in nodes
        for inner in ast.walk(node)
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str)
    ]


def _text(path: Path) -> str:
    try:
        return path.read_bytes()[:2_000_000].decode("utf-8", "replace")
    except OSError:
        return ""
