"""What Tab offers behind ``%pipeline``: commands, options, steps, parameters, runs, values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from IPython.core.error import UsageError

import jupyter_pipelines as jp
from jupyter_pipelines.errors import PipelinesError
from jupyter_pipelines.magics.commands import BY_NAME, COMMANDS, Completes, Option
from jupyter_pipelines.results.runs import STATES

MOST_RUNS: Final = 20


def complete(text: str, notebook: Callable[[], Path]) -> list[str]:
    """What may stand in place of the last word of ``text``, the line up to the cursor without ``%pipeline``."""
    words = text.split()
    word = "" if not text or text[-1].isspace() else words.pop()
    return [offer for offer in _offers(words, word, notebook) if offer.startswith(word)]


def _offers(words: list[str], word: str, notebook: Callable[[], Path]) -> Iterator[str]:
    if not words:
        yield from (command.name for command in COMMANDS)
        return
    command = BY_NAME.get(words[0])
    if command is None:
        return
    named = {option.name: option for option in command.options if option.name.startswith("-")}
    before = named.get(words[-1])
    if before is not None and before.metavar:
        yield from _values(before.completes, notebook)
    elif word.startswith("-"):
        yield from (*named, "--notebook")
    else:
        option = _argument(words[1:], command.options)
        if option is not None:
            yield from _values(option.completes, notebook)


def _argument(words: list[str], options: tuple[Option, ...]) -> Option | None:
    """The argument that comes next."""
    taking = {option.name for option in options if option.name.startswith("-") and option.metavar} | {"--notebook"}
    given = [
        word
        for place, word in enumerate(words)
        if not word.startswith("-") and not (place and words[place - 1] in taking)
    ]
    left = [option for option in options if not option.name.startswith("-")][len(given) :]
    return left[0] if left else None


def _values(kind: Completes, notebook: Callable[[], Path]) -> list[str]:
    with suppress(PipelinesError, OSError, UsageError):  # the last where nothing tells which notebook is meant
        return _LISTS[kind](notebook()) if kind in _LISTS else []
    return []


def _metrics(notebook: Path) -> list[str]:
    return list(jp.runs(notebook).trend("duration").known)


def _names(notebook: Path) -> list[str]:
    pipeline = jp.pipeline(notebook)
    return list(dict.fromkeys([*(step.name for step in pipeline.steps), *(edge.name for edge in pipeline.edges)]))


_LISTS: Mapping[Completes, Callable[[Path], list[str]]] = {
    "step": lambda notebook: [step.name for step in jp.pipeline(notebook).steps],
    "name": _names,
    "parameter": lambda notebook: [f"{one.name}=" for one in jp.pipeline(notebook).parameters],
    "run": lambda notebook: ["last", *(run.id[:8] for run in jp.runs(notebook, limit=MOST_RUNS))],
    "value": lambda notebook: list(jp.runs(notebook)[0].values) if jp.runs(notebook) else [],
    "metric": _metrics,
    "state": lambda _: list(STATES),
    "table": lambda notebook: list(dict.fromkeys(str(one.name) for one in jp.pipeline(notebook).lineage().tables)),
    "schedule": lambda notebook: [record.id for record in jp.schedules(notebook)],
}
