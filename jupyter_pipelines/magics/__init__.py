"""``%load_ext jupyter_pipelines``: the words of a pipeline in text, in cells that plain Jupyter goes on running.

``%%step NAME``, ``%%setup`` and ``%%skip`` say what a cell is to the pipeline; the kernel runs the cell as if the line
were a comment. ``%%sql`` and ``%%check`` build and check tables. ``%pipeline`` shows, runs, compares and debugs: see
:mod:`jupyter_pipelines.magics.commands`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_pipelines.magics.pipeline import PipelineMagics, complete_pipeline
from jupyter_pipelines.magics.roles import RoleMagics, without_role_magic
from jupyter_pipelines.magics.sql import SqlMagics
from jupyter_pipelines.magics.validations import note_validation

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def load(shell: InteractiveShell) -> None:
    """Register the magics with ``shell``; doing it again changes nothing."""
    shell.register_magics(RoleMagics, PipelineMagics, SqlMagics)
    shell.set_hook("complete_command", complete_pipeline, str_key="%pipeline")  # type: ignore[no-untyped-call]
    assigned = r"[^%]*=\s*%pipeline\b"
    shell.set_hook("complete_command", complete_pipeline, re_key=assigned)  # type: ignore[no-untyped-call]
    if note_validation not in shell.events.callbacks["post_run_cell"]:
        shell.events.register("post_run_cell", note_validation)
    if without_role_magic not in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.insert(0, without_role_magic)


def unload(shell: InteractiveShell) -> None:
    """Take the magics back."""
    if (sql := shell.magics_manager.registry.get("SqlMagics")) is not None:
        sql.close()
    if note_validation in shell.events.callbacks["post_run_cell"]:
        shell.events.unregister("post_run_cell", note_validation)
    if without_role_magic in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.remove(without_role_magic)
    for kind, names in (("cell", ("step", "setup", "skip", "sql", "check")), ("line", ("pipeline",))):
        for name in names:
            shell.magics_manager.magics[kind].pop(name, None)
