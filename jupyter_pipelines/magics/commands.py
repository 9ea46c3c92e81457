"""What ``%pipeline`` can be told: one line for each command, from which help, completion and the docs are made."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn

from IPython.core.error import UsageError

Completes = Literal["", "step", "name", "parameter", "run", "value", "metric", "schedule", "state", "table"]


@dataclass(frozen=True)
class Option:
    """An option, or with a name that begins with no dash an argument of its own: with ``many``, of several words."""

    name: str
    metavar: str = ""
    completes: Completes = ""
    many: bool = False
    default: str | None = None
    required: bool = False


@dataclass(frozen=True)
class Command:
    """One command. ``run`` is a function of :mod:`~jupyter_pipelines.magics.doing`, and given the arguments."""

    name: str
    summary: str
    options: tuple[Option, ...] = ()

    @property
    def usage(self) -> str:
        """``run [-p NAME=VALUE] [--from STEP]``."""
        return " ".join([self.name, *(_usage(option) for option in self.options)])


def _usage(option: Option) -> str:
    shown = option.metavar if not option.name.startswith("-") else f"{option.name} {option.metavar}".rstrip()
    return shown if option.required else f"[{shown}]"


_PARAMETERS = Option("-p", "NAME=VALUE", "parameter", many=True)
_RUN = Option("run", "RUN", "run")
_DRY = Option("--dry-run")

COMMANDS: tuple[Command, ...] = (
    Command("show", "draws the steps, and how they depend on each other"),
    Command("check", "finds what is wrong, like a linter"),
    Command("explain", "says why steps need each other, or who needs a name", (Option("name", "NAME", "name"),)),
    Command(
        "lineage",
        "draws which columns its tables are made of",
        (Option("table", "TABLE", "table"),),
    ),
    Command(
        "run",
        "has the service run it, and shows how far it is",
        (
            _PARAMETERS,
            Option("--from", "STEP", "step"),
            Option("--only", "STEP", "step"),
            Option("--until", "STEP", "step"),
            Option("--reuse"),
            Option("--published"),
            Option("--wait"),
        ),
    ),
    Command("status", "says how the pipeline stands: its last runs, its next one"),
    Command(
        "schedule",
        "has the service run it then, and tells the next five times",
        (Option("when", "WHEN", required=True, many=True), _PARAMETERS, Option("--timezone", "ZONE"), _DRY),
    ),
    Command("pause", "has its schedules, or one of them, start no more runs", (Option("schedule", "ID", "schedule"),)),
    Command("unpause", "has them run again", (Option("schedule", "ID", "schedule"),)),
    Command(
        "backfill",
        "runs it over each day of a range, once",
        (Option("range", "FIRST..LAST", required=True), _PARAMETERS, _DRY),
    ),
    Command(
        "history",
        "shows its runs; two of them can be compared",
        (Option("limit", "N"), Option("--state", "STATE", "state"), Option("--since", "TIME"), _PARAMETERS),
    ),
    Command("trend", "draws a metric, a duration or a number of rows over runs", (Option("metric", "NAME", "metric"),)),
    Command(
        "diff",
        "compares two runs, by default the last two: parameters, numbers, values, cells",
        (Option("first", "RUN", "run"), Option("second", "RUN", "run")),
    ),
    Command(
        "value",
        "gives a value that a step handed over",
        (Option("value", "STEP.NAME", "value", required=True), Option("--run", "RUN", "run")),
    ),
    Command(
        "debug",
        "makes a notebook with what a step had when it began, by default the one that failed",
        (_RUN, Option("--step", "STEP", "step")),
    ),
    Command("apply", "in such a notebook: puts the fix into the source, and resumes the run", (Option("--no-resume"),)),
    Command("plan", "says what publishing it again would change: cells, the steps and tables behind them, rows"),
    Command("publish", "freezes it as a version", (Option("-m", "MESSAGE"),)),
    Command(
        "suggest-checks",
        "proposes checks for a table of the warehouse, from what is in it now",
        (Option("table", "TABLE", required=True),),
    ),
    Command("verify", "proves that it gives what Restart & Run All gives", (_PARAMETERS,)),
)
BY_NAME: Mapping[str, Command] = {command.name: command for command in COMMANDS}


def parse(line: str) -> tuple[Command, argparse.Namespace]:
    """What a line asks for. Raises :class:`UsageError` that says what is wrong with it."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise UsageError(f"%pipeline {line}: {error}") from None
    if not words or words[0] not in BY_NAME:
        words = _drawn(words)
    command = BY_NAME[words[0]]
    if "--help" in words:
        return command, argparse.Namespace(help=True)
    arguments = _parser(command).parse_args(words[1:])
    for option in command.options:
        if option.many and not option.name.startswith("-"):
            setattr(arguments, option.name, " ".join(getattr(arguments, option.name)))
    return command, arguments


def _drawn(words: list[str]) -> list[str]:
    """``%pipeline`` and ``%pipeline NB`` draw a notebook."""
    if not words:
        return ["show"]
    if words[0].startswith("--notebook") or Path(words[0]).suffix in {".ipynb", ".py", ".md"}:
        return ["show", *(words if words[0].startswith("-") else ["--notebook", *words])]
    from difflib import get_close_matches

    guess = get_close_matches(words[0], BY_NAME, 1)
    hint = f"Did you mean {guess[0]}?" if guess else f"There is {', '.join(BY_NAME)}."
    raise UsageError(f"%pipeline has no command {words[0]!r}. {hint}")


class _Parser(argparse.ArgumentParser):
    """One that raises, and never leaves the kernel."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(
            f"{self.prog}: {message}\n  usage: {self.prog.split()[0]} {BY_NAME[self.prog.split()[1]].usage}"
        )


def _parser(command: Command) -> argparse.ArgumentParser:
    parser = _Parser(prog=f"%pipeline {command.name}", add_help=False, allow_abbrev=False)
    for option in command.options:
        given: dict[str, Any] = {"metavar": option.metavar or None}
        if not option.name.startswith("-"):
            parser.add_argument(option.name, nargs="+" if option.many else None if option.required else "?", **given)
        elif not option.metavar:
            parser.add_argument(option.name, action="store_true")
        else:
            given |= {"action": "append", "default": []} if option.many else {}
            parser.add_argument(option.name, dest=_DESTINATIONS.get(option.name, option.name.strip("-")), **given)
    parser.add_argument("--notebook", metavar="NB")
    parser.add_argument("--help", action="store_true")
    return parser


_DESTINATIONS = {"-p": "parameters", "--from": "from_step", "-m": "message"}


def help_text() -> str:
    """What ``%pipeline?`` shows: it fits a screen."""
    names = max(len(command.name) for command in COMMANDS)
    lines = [f"  {command.name:<{names}}  {command.summary}" for command in COMMANDS]
    return "\n".join(
        [
            "The pipeline of the notebook one is in, as it was last saved, or of --notebook NB.",
            "",
            *lines,
            "",
            "%pipeline run -p rows=500 --from train      %pipeline run --help tells the options of one command",
            'model = %pipeline value train.model         %pipeline schedule "every weekday 07:00"',
            "%pipeline diff last 1f0c                    RUN is an id, its beginning, or `last`; Tab completes it",
        ]
    )


def table_markdown() -> str:
    """The table of commands for the docs."""
    rows = [f"| `%pipeline {command.usage}` | {command.summary} |" for command in COMMANDS]
    return "\n".join(["| magic | does |", "| --- | --- |", *rows])


Do = Callable[[argparse.Namespace, Path], object]
