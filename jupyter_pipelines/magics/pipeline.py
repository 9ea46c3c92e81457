"""``%pipeline``: everything about the pipeline of the notebook one is in."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class

from jupyter_pipelines.magics.commands import help_text, parse

OF_TABLES = {"suggest-checks"}  # what is about the warehouse, and no notebook
STARTING = {"run", "schedule", "backfill", "verify", "debug", "apply"}  # what no step of a pipeline may do unseen


@magics_class
class PipelineMagics(Magics):
    """The magic of the pipeline."""

    @line_magic
    def pipeline(self, line: str) -> object:
        from jupyter_pipelines.errors import PipelinesError
        from jupyter_pipelines.magics.doing import DO

        if line.strip() in {"help", "--help", "-h"}:
            print(help_text())
            return None
        command, arguments = parse(line)
        if arguments.help:
            print(f"%pipeline {command.usage} [--notebook NB]\n\n  It {command.summary}.")
            return None
        names = self.shell.user_ns if self.shell is not None else {}
        needs_none = command.name in OF_TABLES and not arguments.notebook
        notebook = Path() if needs_none else notebook_path(arguments.notebook or "", names, os.environ, command.name)
        if command.name in STARTING and is_step() and not arguments.notebook:
            raise UsageError(
                f"this cell runs in a step of {notebook.name}, which cannot {command.name} itself; tag the cell `skip`"
            )
        try:
            return DO[command.name](arguments, notebook)
        except PipelinesError as error:
            raise UsageError(str(error)) from None

    pipeline.__doc__ = help_text()


def complete_pipeline(shell: Any, event: Any) -> list[str]:
    """IPython's hook for what Tab offers behind ``%pipeline``."""
    from jupyter_pipelines.magics.completion import complete

    _, found, text = event.text_until_cursor.partition("%pipeline")
    if not found or not text[:1].isspace():
        return []
    named = text.partition("--notebook")[2].split()
    return complete(
        text.lstrip(), lambda: notebook_path(named[0] if named else "", getattr(shell, "user_ns", {}), os.environ)
    )


def is_step() -> bool:
    """Whether this kernel runs a step of a pipeline."""
    session = sys.modules.get("_jupyter_pipelines_kernel.session")
    return session is not None and session.runs_a_step()


def notebook_path(
    line: str, names: Mapping[str, object], environment: Mapping[str, str], command: str = "show"
) -> Path:
    """The notebook that is meant: the one named in ``line``, else the one the kernel was started for.

    VS Code leaves its path in a variable, Jupyter Server (2.0 and later) in the environment. Raises
    :class:`UsageError` where nothing tells.
    """
    named = line.strip().strip("\"'")
    if named:
        return Path(os.path.expanduser(named))
    for told in (names.get("__vsc_ipynb_file__"), environment.get("JPY_SESSION_NAME")):
        if not isinstance(told, str) or not told:
            continue
        # Jupyter tells a path that may begin at its own root; the kernel runs in the notebook's folder.
        for path in (Path(told), Path(Path(told).name)):
            if path.is_file():
                return path
    raise UsageError(
        f"this kernel cannot tell which notebook it belongs to; name it: %pipeline {command} --notebook NB"
    )
