"""``%load_ext jupyter_pipelines``: the words of a pipeline in text, in cells that plain Jupyter goes on running.

``%%step NAME``, ``%%setup`` and ``%%skip`` say what a cell is to the pipeline; the kernel runs the cell as if the line
were a comment. ``%pipeline`` draws the notebook's graph.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_pipelines.magics.pipeline import PipelineMagics
from jupyter_pipelines.magics.roles import RoleMagics, without_role_magic

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def load(shell: InteractiveShell) -> None:
    """Register the magics with ``shell``; doing it again changes nothing."""
    shell.register_magics(RoleMagics, PipelineMagics)
    if without_role_magic not in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.insert(0, without_role_magic)


def unload(shell: InteractiveShell) -> None:
    """Take the magics back."""
    if without_role_magic in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.remove(without_role_magic)
    for kind, names in (("cell", ("step", "setup", "skip")), ("line", ("pipeline",))):
        for name in names:
            shell.magics_manager.magics[kind].pop(name, None)
