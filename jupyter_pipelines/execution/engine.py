"""Running cells through papermill: what a step is executed with, and the engine that anyone can use.

``papermill --engine jupyter-pipelines in.ipynb out.ipynb`` works on any notebook; :func:`execute_cells` is the same
engine with the directory, the environment and the supervision that a step of a pipeline needs.
"""

from __future__ import annotations

import contextlib
import copy
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jupyter_pipelines.execution.kernels.kernel import KernelRequest, prepare
from jupyter_pipelines.execution.model import StepErrorInfo

if TYPE_CHECKING:
    from nbformat import NotebookNode

__all__ = ["ENGINE", "KernelRequest", "Outcome", "execute_cells", "prepare"]

ENGINE = "jupyter-pipelines"

OnCell = Callable[[str, int, object], None]


@dataclass(frozen=True)
class Outcome:
    """How the cells went. ``notebook`` holds the executed cells; ``error`` is the first failure.

    ``kernel_seconds`` is how long the cells waited for a kernel.
    """

    notebook: NotebookNode
    error: StepErrorInfo | None
    kernel_seconds: float


@dataclass
class Execution:
    """What :func:`execute_cells` hands to the engine through papermill, and gets back by it."""

    kernel: KernelRequest
    on_cell: OnCell
    cancel: threading.Event
    deadline: float | None
    allow_errors: bool = False
    cell_seconds: float | None = None  # papermill's limit, which is for each cell
    is_at_rest: Callable[[], bool] = lambda: False  # asked when the last cell has ended
    notebook: NotebookNode | None = None
    error: StepErrorInfo | None = None
    kernel_seconds: float = field(default=0.0)


def execute_cells(
    nb: NotebookNode,
    kernel: KernelRequest,
    *,
    on_cell: OnCell,
    cancel: threading.Event,
    timeout: float | None,
    allow_errors: bool = False,
    is_at_rest: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Run the code cells of ``nb`` in a fresh kernel, up to the first failure.

    ``nb`` itself is not changed. Its cells may carry ``metadata.jupyter_pipelines`` with ``index`` (their place in the
    author's notebook) and ``hidden`` (run without history, outputs dropped unless the cell fails). A cell tagged
    ``raises-exception`` may fail, as may all with ``allow_errors``.

    ``on_cell(kind, position, payload)`` is told as it happens, from another thread: ``"started"`` (payload ``None``),
    ``"output"`` (an nbformat output; for streams only what is new; not for hidden cells) and ``"finished"`` (the
    executed cell). ``timeout`` is in seconds for all of it, kernel start included; when it passes, or ``cancel`` is
    set, the kernel dies at once with every process it started.

    The kernel has ended when this returns, unless ``is_at_rest``, asked after the last cell, says that nothing can come
    of its end: then nobody waits for it, except :func:`~jupyter_pipelines.execution.client.wait_for_kernels`.

    Never raises for what the notebook or its kernel did: see ``Outcome.error``, whose ``kind`` is ``error``,
    ``kernel-died``, ``timeout`` or ``cancelled``.
    """
    import papermill
    from papermill.engines import papermill_engines
    from papermill.exceptions import PapermillExecutionError

    # papermill finds it by its entry point, unless that is out of date (editable installs).
    papermill_engines.register(ENGINE, __getattr__("PipelinesEngine"))
    deadline = None if timeout is None else time.monotonic() + timeout
    execution = Execution(kernel, on_cell, cancel, deadline, allow_errors, is_at_rest=is_at_rest)
    # papermill goes by error outputs, also those that a cell may have; what we go by is in `execution`.
    with contextlib.suppress(PapermillExecutionError):
        # Without `cwd=`, which would change the directory of this whole process; the kernel gets its own.
        papermill.execute_notebook(
            nb,
            None,
            engine_name=ENGINE,
            kernel_name=kernel.kernel_name or "python3",
            progress_bar=False,
            execution=execution,
        )
    return Outcome(execution.notebook or copy.deepcopy(nb), execution.error, execution.kernel_seconds)


def __getattr__(name: str) -> object:
    """``PipelinesEngine``, for papermill's entry point.

    papermill loads its entry points in the middle of being imported, so the engine's own module must not be the one
    that imports papermill first.
    """
    if name != "PipelinesEngine":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import papermill.engines  # noqa: F401

    from jupyter_pipelines.execution.papermill_engine import PipelinesEngine

    return PipelinesEngine
