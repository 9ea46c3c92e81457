"""Which commands there are, and what every one of them owes its caller: exit codes, errors as sentences, clean Ctrl-C.

A command is a module in ``commands/`` with ``add_arguments(parser)`` and ``run(arguments) -> int``. It is imported
only when it is asked for, and argparse is used because it starts in 10 ms where click takes 65 ms and typer 90 ms:
``--help`` is to feel instant.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType

from jupyter_pipelines.errors import NotebookError, PipelinesError

PROGRAM = "jupyter pipelines"
FAILED, WRONG_REQUEST, INTERRUPTED = 1, 2, 130
RUN_STEPS = ("run", "resume", "verify")
"""Commands that load what takes seconds to load."""

COMMANDS: dict[str, dict[str, str]] = {
    "Look": {
        "check": "find what is wrong with notebooks, like a linter",
        "show": "draw the steps of a notebook and how they depend on each other",
        "explain": "say why each step needs the others",
        "suggest": "propose steps for a notebook that has no tags",
    },
    "Run": {
        "run": "run a notebook as a pipeline",
        "resume": "continue a failed run from where it failed",
        "debug": "make a notebook with what a step of a run had when it began",
        "apply": "put what was changed in such a notebook into its source",
        "cancel": "cancel a run or a backfill, and kill all that it has started",
        "runs": "list earlier runs",
        "inspect": "show one run: its steps, what they produced, what failed",
    },
    "Publish": {
        "publish": "freeze a notebook, its files and its environment as a version",
        "versions": "list what was published, and whether it would still work",
        "diff": "compare versions, or a version with the notebook, cell by cell",
        "rollback": "make an older version the published one",
        "relink": "have what is known of a notebook follow it to where it was moved",
    },
    "Schedule": {
        "schedule": "have the service run a notebook at certain times",
        "schedules": "list schedules, and when each runs next",
        "trigger": "have the service run a notebook when something happens",
        "triggers": "list triggers, and what sets each off",
        "unschedule": "remove a schedule, or a trigger",
        "backfill": "run a notebook over a range of days, weeks or months, each once",
        "backfills": "list backfills, and how far each has come",
        "pause": "have a schedule, a trigger or a backfill start no more runs",
        "unpause": "have a schedule or a trigger run again, or a backfill go on",
        "limit": "say how many runs, or steps that need a resource, go on at once",
        "limits": "list limits, who has their slots, and who waits",
    },
    "Alert": {
        "alert": "have somebody told when a pipeline fails, works again, or is late",
        "alerts": "list alerts, and what became of them",
        "unalert": "remove an alert",
    },
    "Keep house": {
        "up": "start the service: a Prefect server and a worker, kept running",
        "status": "say how the service is: what runs, since when, its memory",
        "warehouse": "look at the tables that SQL cells make, ask them, give the file back, copy it",
        "sources": "list the external databases and files that SQL cells may read, and try one out",
        "logs": "show what the service has written",
        "down": "stop the service; the next run starts it again",
        "retention": "set how long runs are kept, for one pipeline or for all",
        "keep": "have cleaning leave a run alone",
        "gc": "free the disk space of old runs",
    },
    "Trust": {
        "verify": "prove that the pipeline gives what Restart & Run All gives",
        "doctor": "try out every part of this installation",
    },
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; never raises for something a user did."""
    words = list(sys.argv[1:] if argv is None else argv)
    if argv is None and words and words[0] in RUN_STEPS:
        from jupyter_pipelines.cli.forked import run_forked

        code = run_forked(words)
        if code is not None:
            return code
    return run_here(words)


def run_here(words: Sequence[str]) -> int:
    """:func:`main` in this process, whatever else there is."""
    for stream in (sys.stdout, sys.stderr):
        # Notebooks may hold text that this terminal, or UTF-8 itself, cannot express.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    if not words or words[0] in {"-h", "--help", "help"}:
        print(_overview())
        return 0
    if words[0] == "--version":
        print(_version())
        return 0
    if words[0] not in _summaries():
        print(_unknown_command(words[0]), file=sys.stderr)
        return WRONG_REQUEST
    try:
        code = _run_command(words[0], list(words[1:]))
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # The reader has gone (`… | head`): nothing is left to say, and Python must not try to flush at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run_command(name: str, words: Sequence[str]) -> int:
    as_json = ("json" in words and "--format" in words) or "--format=json" in words
    try:
        command = import_module(f"jupyter_pipelines.cli.commands.{name}")
        arguments = _parser(name, command).parse_args(words)
        code: int = command.run(arguments)
        return code
    except SystemExit as stop:  # argparse has spoken already
        return stop.code if isinstance(stop.code, int) else WRONG_REQUEST
    except KeyboardInterrupt:
        print("\ncancelled", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        raise
    except PipelinesError as error:
        _tell(error, as_json)
        return error.exit_code
    except Exception as error:
        return _report_bug(error, as_json)


def _parser(name: str, command: ModuleType) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"{PROGRAM} {name}",
        description=command.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,  # an abbreviation in somebody's script would break with the next option we add
    )
    command.add_arguments(parser)
    return parser


def _tell(error: PipelinesError, as_json: bool) -> None:
    if as_json:
        from jupyter_pipelines.cli.output import print_json

        diagnostics = error.diagnostics if isinstance(error, NotebookError) else ()
        print_json(
            {
                "error": {
                    "kind": type(error).__name__.removesuffix("Error").lower(),
                    "message": error.message,
                    "fix": error.fix,
                    "diagnostics": [diagnostic.to_dict() for diagnostic in diagnostics],
                }
            }
        )
        return
    from jupyter_pipelines.cli.output import clean

    sys.stdout.flush()
    print(clean(str(error) if isinstance(error, NotebookError) else f"error: {error}"), file=sys.stderr)


def _report_bug(error: Exception, as_json: bool) -> int:
    """Say that this is our fault, and keep the traceback where it can be attached to a report."""
    import tempfile
    import time
    import traceback
    from pathlib import Path

    from jupyter_pipelines.settings import Settings

    text = "".join(traceback.format_exception(error))
    name = f"error-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    path = Settings.load().home / "logs" / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError:
        path = Path(tempfile.gettempdir()) / name
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
    if as_json:
        from jupyter_pipelines.cli.output import print_json

        print_json(
            {"error": {"kind": "internal", "message": f"{type(error).__name__}: {error}", "traceback": str(path)}}
        )
    print(
        f"internal error: {type(error).__name__}: {error}\n"
        f"  This is a mistake in Jupyter Pipelines, not in your notebook.\n"
        f"  The traceback is in {path}; please report it.",
        file=sys.stderr,
    )
    return FAILED


def _summaries() -> dict[str, str]:
    return {name: summary for group in COMMANDS.values() for name, summary in group.items()}


def _overview() -> str:
    lines = [
        f"usage: {PROGRAM} COMMAND …",
        "",
        "The notebook is the pipeline: tag its cells, run it as steps, prove that the result is the same.",
    ]
    for title, commands in COMMANDS.items():
        lines += ["", f"{title}:"] + [f"  {name:<10} {summary}" for name, summary in commands.items()]
    lines += [
        "",
        f"`{PROGRAM} COMMAND --help` tells more about one command.",
        "Exit codes: 0 good, 1 the pipeline failed, 2 the request was wrong, 130 cancelled.",
    ]
    return "\n".join(lines)


def _unknown_command(word: str) -> str:
    from difflib import get_close_matches

    guess = get_close_matches(word, _summaries(), 1)
    hint = f"did you mean `{guess[0]}`?" if guess else "the commands are: " + ", ".join(_summaries())
    return f"error: {PROGRAM} has no command {word!r}; {hint}"


def _version() -> str:
    from importlib.metadata import version

    return f"jupyter-pipelines {version('jupyter_pipelines')}"
