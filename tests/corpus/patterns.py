"""Small notebooks of ordinary code that is hard to cut into steps, each with the outcomes that are right for it.

python tests/corpus/patterns.py             # all of them
python tests/corpus/patterns.py seed alias  # those whose name contains one of the words
"""

from __future__ import annotations

import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat
from judging import EQUIVALENT, Outcome, judge_all

FOLDER = Path(__file__).parent / "patterns"


@dataclass(frozen=True)
class Pattern:
    """A notebook in text, and the verdicts that are right: *equivalent*, *refused*, or either."""

    path: Path
    expected: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.path.stem

    def prepare(self, folder: Path) -> Path:
        """Write it as a notebook into a new folder; return its path."""
        import jupytext

        notebook = jupytext.read(self.path)
        for number, cell in enumerate(notebook.cells):
            cell["id"] = f"cell-{number}"
        notebook.metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        folder.mkdir(parents=True)
        nbformat.write(notebook, folder / f"{self.name}.ipynb")
        return folder / f"{self.name}.ipynb"


def patterns(words: Sequence[str] = ()) -> list[Pattern]:
    """The patterns whose name contains one of ``words``; all of them without."""
    found = []
    for path in sorted(FOLDER.glob("*.md")):
        expected = re.match(r"---\nexpect: (.+)\n---\n", path.read_text())
        if expected is None:
            raise ValueError(f"{path.name} does not begin with what is expected of it")
        if not words or any(word in path.stem for word in words):
            found.append(Pattern(path, tuple(expected[1].split(" or "))))
    return found


def run(chosen: Sequence[Pattern], work: Path, jobs: int = 1) -> Iterator[tuple[Pattern, Outcome]]:
    """Verify each pattern in a folder of its own, in order."""
    notebooks = [pattern.prepare(work / pattern.name) for pattern in chosen]
    yield from zip(chosen, judge_all(notebooks, jobs), strict=True)


def main(words: Sequence[str]) -> int:
    """Verify the patterns and print the table; 1 when an outcome is not among the expected ones."""
    counts: Counter[str] = Counter()
    wrong = 0
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="patterns-") as work:
        for pattern, outcome in run(patterns(words), Path(work)):
            right = outcome.verdict in pattern.expected
            wrong += not right
            counts[outcome.verdict] += 1
            mark = "  " if right else "✗ "
            print(f"{mark}{pattern.name:<36} {outcome.seconds:5.1f} s  {outcome.verdict}", flush=True)
            if outcome.verdict != EQUIVALENT:
                print(f"      {' '.join(outcome.codes)} {outcome.reason}", flush=True)
            if not right:
                print(outcome.report, flush=True)
    total = ", ".join(f"{number} {verdict}" for verdict, number in counts.most_common())
    print(f"{counts.total()} patterns in {time.monotonic() - started:.0f} s: {total}; {wrong} not as expected")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
