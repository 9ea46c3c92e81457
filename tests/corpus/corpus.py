"""The acceptance set: public notebooks that others wrote, verified as pipelines.

    python tests/corpus/corpus.py                  # all of them
    python tests/corpus/corpus.py copula roc       # those whose path contains one of the words
    python tests/corpus/corpus.py --steps cells    # every code cell a step of its own: the hardest way to cut

``corpus.toml`` names the notebooks: each lies, with its data, in the source distribution of a package on PyPI. Nothing
of them is kept in this repository; they are downloaded once into ``~/.cache/jupyter-pipelines-corpus`` (or the folder
that ``JUPYTER_PIPELINES_CORPUS`` names). Exits with 1 when a pipeline differs from its notebook without saying so.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
import tarfile
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat
from judging import DIFFERENT, EQUIVALENT, REFUSED, WRONG, Outcome, judge_all

from jupyter_pipelines.graph import suggest

HERE = Path(__file__).parent
STEPS = ("suggest", "headings", "cells")
BESIDE = 3_000_000  # bytes; larger files beside a notebook are not its data


class UnreachableError(Exception):
    """The package index cannot be reached, or does not have the package any more."""


@dataclass(frozen=True)
class Source:
    """A notebook of the corpus. ``steps`` says how it is cut into steps."""

    package: str
    version: str
    path: str
    steps: str

    @property
    def name(self) -> str:
        return f"{self.package}/{Path(self.path).stem}"


def manifest() -> list[Source]:
    """The notebooks of ``corpus.toml``, in its order."""
    packages = tomllib.loads((HERE / "corpus.toml").read_text())["package"]
    return [
        Source(package["name"], package["version"], f"{package['folder']}/{path}", steps)
        for package in packages
        for steps in STEPS
        for path in package.get(steps, [])
    ]


def unpacked(package: str, version: str) -> Path:
    """The folder of a package's source distribution, downloaded and unpacked at first use.

    unearth finds and checks the file as an installer would; pip would also try to build it.
    """
    cache = Path(os.environ.get("JUPYTER_PIPELINES_CORPUS") or "~/.cache/jupyter-pipelines-corpus").expanduser()
    folder = cache / f"{package}-{version}"
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as work:
        archive = _download(package, version, Path(work))
        with tarfile.open(archive) as tar:
            tar.extractall(Path(work, "content"), filter="data")
        (top,) = Path(work, "content").iterdir()
        top.rename(folder)
    return folder


def _download(package: str, version: str, work: Path) -> Path:
    from unearth import PackageFinder

    index = os.environ.get("PIP_INDEX_URL")
    try:
        finder = PackageFinder(index_urls=[index] if index else [], no_binary=[":all:"])
        match = finder.find_best_match(f"{package}=={version}").best
        if match is None:
            raise UnreachableError(f"the index has no source distribution of {package} {version}")
        finder.download_and_unpack(match.link, work / "ignored", work / "archive")
    except UnreachableError:
        raise
    except Exception as error:  # whatever the network does, the answer is the same
        raise UnreachableError(f"{package} {version} could not be downloaded: {error}") from error
    return next((work / "archive").glob("*.tar.gz"))


def prepare(source: Source, folder: Path) -> Path:
    """Write a tagged copy of the notebook into ``folder``, beside the files that lay beside it; return its path."""
    original = unpacked(source.package, source.version) / source.path
    folder.mkdir(parents=True)
    for file in original.parent.iterdir():
        if file.is_file() and file.suffix not in {".ipynb", ".py"} and file.stat().st_size < BESIDE:
            shutil.copy(file, folder)
    notebook = _read(original)
    if source.steps == "cells":
        _one_step_per_cell(notebook)
    elif source.steps == "headings":
        _one_step_per_heading(notebook)
    copy = folder / f"{original.stem}.ipynb"
    nbformat.write(notebook, copy)
    if source.steps == "suggest":
        notebook = suggest(copy.read_bytes(), copy.name).notebook
        nbformat.write(notebook, copy)
    return copy


def _read(path: Path) -> nbformat.NotebookNode:
    if path.suffix == ".ipynb":
        notebook = nbformat.read(path, as_version=4)
    else:
        import jupytext

        notebook = jupytext.read(path)
    for number, cell in enumerate(notebook.cells):
        cell.setdefault("id", f"cell-{number}")
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    notebook.nbformat_minor = max(5, notebook.nbformat_minor)
    notebook.metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return notebook


def _code_cells(notebook: nbformat.NotebookNode) -> Iterator[tuple[int, nbformat.NotebookNode]]:
    return ((number, cell) for number, cell in enumerate(notebook.cells, 1) if cell.cell_type == "code")


def _one_step_per_cell(notebook: nbformat.NotebookNode) -> None:
    for number, cell in _code_cells(notebook):
        cell.metadata["tags"] = [*cell.metadata.get("tags", []), f"step:cell-{number}"]


def _one_step_per_heading(notebook: nbformat.NotebookNode) -> None:
    """The code below a heading is a step; what comes before the first code-bearing heading is setup."""
    heading, named = "", 0
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            titles = re.findall(r"^#+ +(.+)$|^(.+)\n[=-]{3,}$", cell.source, flags=re.MULTILINE)
            if titles:
                heading = re.sub(r"[^a-z0-9]+", "-", "".join(titles[-1]).lower()).strip("-")[:40]
        elif cell.cell_type == "code" and heading:
            named += 1
            cell.metadata["tags"] = [*cell.metadata.get("tags", []), f"step:part-{named}-{heading}"]
            heading = ""


def run(sources: Sequence[Source], work: Path, jobs: int = 1) -> Iterator[tuple[Source, Outcome]]:
    """Prepare and verify each notebook, in order."""
    notebooks = [prepare(source, work / f"{number}-{source.steps}") for number, source in enumerate(sources)]
    yield from zip(sources, judge_all(notebooks, jobs), strict=True)


def main(words: Sequence[str] | None = None) -> int:
    """Verify the corpus and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", metavar="WORD", help="only notebooks whose path contains one of these")
    parser.add_argument("--steps", choices=STEPS, help="cut every notebook this way, whatever the manifest says")
    parser.add_argument("--jobs", type=int, default=1, help="notebooks verified at the same time")
    parser.add_argument("--reports", type=Path, help="folder for the full reports and prepared notebooks; it is kept")
    arguments = parser.parse_args(words)
    chosen = [
        Source(source.package, source.version, source.path, arguments.steps or source.steps)
        for source in manifest()
        if not arguments.words or any(word in f"{source.package}/{source.path}" for word in arguments.words)
    ]
    with tempfile.TemporaryDirectory(prefix="corpus-") as scratch:
        work = arguments.reports or Path(scratch)
        outcomes = []
        try:
            for source, outcome in run(chosen, work / "notebooks", arguments.jobs):
                outcomes.append((source, outcome))
                print(_row(source, outcome), flush=True)
                if arguments.reports:
                    report = work / f"{source.name.replace('/', '-')}-{source.steps}.txt"
                    report.write_text(f"{source}\n{outcome.verdict}\n{outcome.report}")
        except UnreachableError as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
        if arguments.reports:
            (work / "outcomes.json").write_text(json.dumps([_plain(*pair) for pair in outcomes], indent=1))
    print(_totals([outcome for _, outcome in outcomes]))
    return int(any(outcome.verdict in WRONG for _, outcome in outcomes))


def _row(source: Source, outcome: Outcome) -> str:
    row = f"{source.name:<58} {source.steps:<8} {outcome.steps:>3} steps {outcome.seconds:6.1f} s  {outcome.verdict}"
    return row if outcome.verdict == EQUIVALENT else f"{row}\n    {' '.join(outcome.codes)} {outcome.reason}"


def _plain(source: Source, outcome: Outcome) -> dict[str, object]:
    return {"notebook": source.name, "steps": source.steps, "verdict": outcome.verdict, "reason": outcome.reason}


def _totals(outcomes: Iterable[Outcome]) -> str:
    counts = Counter(outcome.verdict for outcome in outcomes)
    names = [EQUIVALENT, REFUSED, DIFFERENT, *sorted(set(counts) - {EQUIVALENT, REFUSED, DIFFERENT})]
    return f"{counts.total()} notebooks: " + ", ".join(f"{counts[name]} {name}" for name in names)


if __name__ == "__main__":
    sys.exit(main())
