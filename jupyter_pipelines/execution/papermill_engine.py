"""The papermill engine ``jupyter-pipelines``: real kernels, no fixed waits, few writes of the notebook.

Import ``papermill`` before this module; see :func:`jupyter_pipelines.execution.engine.__getattr__`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from papermill.engines import Engine, NotebookExecutionManager

from jupyter_pipelines.execution.client import CellsClient, run_in_thread
from jupyter_pipelines.execution.engine import Execution
from jupyter_pipelines.execution.kernels.kernel import Kernel, KernelRequest, KernelStartError
from jupyter_pipelines.execution.model import StepErrorInfo
from jupyter_pipelines.execution.saving import Debounced, write_notebook


class PipelinesEngine(Engine):  # type: ignore[misc] # papermill ships no types
    """Runs a notebook for papermill. Registered as an entry point of papermill."""

    @classmethod
    def execute_notebook(
        cls,
        nb: NotebookNode,
        kernel_name: str,
        output_path: str | None = None,
        progress_bar: bool | dict[str, Any] = True,
        log_output: bool = False,
        autosave_cell_every: int = 30,
        **options: Any,
    ) -> NotebookNode:
        """Run ``nb`` and save it to ``output_path`` as it goes (papermill's interface)."""
        manager = ExecutionManager(
            nb,
            output_path=output_path,
            progress_bar=progress_bar,
            log_output=log_output,
            autosave_cell_every=autosave_cell_every,
        )
        manager.notebook_start()
        try:
            cls.execute_managed_notebook(manager, kernel_name, log_output=log_output, **options)
        finally:
            manager.cleanup_pbar()
            manager.notebook_complete()
        executed: NotebookNode = manager.nb
        return executed

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: NotebookExecutionManager,
        kernel_name: str,
        execution: Execution | None = None,
        execution_timeout: float | None = None,
        env: Mapping[str, str] | None = None,
        allow_errors: bool = False,
        **options: Any,
    ) -> None:
        """Run the cells of the manager's notebook (papermill's interface).

        Without ``execution``, which :func:`~jupyter_pipelines.execution.engine.execute_cells` gives, a kernel that
        dies, or a cell that exceeds ``execution_timeout`` seconds, raises nbclient's
        errors, as papermill's own engine does.
        """
        if execution is not None:
            # papermill notes where the notebook came from, which here is the notebook itself.
            nb_man.nb.metadata.papermill["input_path"] = None
            _run(nb_man, execution, options)
            return
        request = KernelRequest(kernel_name, Path.cwd(), env or {})
        execution = Execution(request, lambda *_: None, threading.Event(), None, allow_errors, execution_timeout)
        _run(nb_man, execution, options)
        if execution.error is not None and execution.error.kind != "error":
            raise _as_nbclient_error(execution.error)


class ExecutionManager(NotebookExecutionManager):  # type: ignore[misc] # papermill ships no types
    """papermill's bookkeeping, with writes that are atomic, few, and worth their cost.

    papermill writes the whole notebook twice per cell, in place.
    """

    def __init__(self, nb: NotebookNode, **options: Any) -> None:
        self._debounced = Debounced(self._write)
        super().__init__(nb, **options)

    def save(self, **_: object) -> None:
        """Note that there is something to save; it is written soon."""
        self._debounced.changed()

    def autosave_cell(self) -> None:
        """Write what changed, when it is time."""
        self._debounced.tick()

    def notebook_complete(self, **options: object) -> None:
        """Finish; a cell that was not run stays *pending*, whatever papermill thinks of it."""
        unfinished = [cell for cell in self.nb.cells if cell.metadata.papermill["status"] == self.PENDING]
        failed = any(cell.metadata.papermill["status"] == self.FAILED for cell in self.nb.cells)
        super().notebook_complete(**options)
        if failed or self.nb.metadata.papermill.get("exception"):
            for cell in unfinished:
                cell.metadata.papermill["status"] = self.PENDING
        self._debounced.flush()

    def _write(self) -> None:
        if self.output_path:
            write_notebook(self.nb, str(self.output_path))
        self.last_save_time = self.now()


class _Observer:
    """Passes what happens to papermill's bookkeeping and to the caller of ``execute_cells``."""

    def __init__(self, manager: NotebookExecutionManager, execution: Execution, options: Mapping[str, Any]) -> None:
        self._manager = manager
        self._execution = execution
        self._options = options
        self.settle: Any = None

    def cell_started(self, cell: NotebookNode, index: int) -> None:
        self._manager.cell_start(cell, index)
        self._execution.on_cell("started", index, None)

    def cell_output(self, output: NotebookNode, index: int) -> None:
        self._log(output)
        self._execution.on_cell("output", index, output)

    def cell_finished(self, cell: NotebookNode, index: int, error: StepErrorInfo | None) -> None:
        if error is not None:
            self._manager.cell_exception(cell, index)
        self._manager.cell_complete(cell, index)
        self._execution.on_cell("finished", index, cell)

    def idle(self) -> None:
        if self.settle is not None:
            self.settle()
        self._manager.autosave_cell()

    def _log(self, output: NotebookNode) -> None:
        """papermill's ``--log-output``, ``--stdout-file`` and ``--stderr-file``."""
        if output.output_type != "stream":
            return
        if self._manager.log_output:
            from papermill.log import logger

            (logger.info if output.name == "stdout" else logger.warning)(output.text)
        file = self._options.get(f"{output.name}_file")
        if file is not None:
            file.write(output.text)
            file.flush()


def _run(manager: NotebookExecutionManager, execution: Execution, options: Mapping[str, Any]) -> None:
    observer = _Observer(manager, execution, options)

    async def run(settled: Callable[[], None]) -> None:
        began = time.monotonic()
        try:
            kernel = await Kernel.start(execution.kernel)
        except KernelStartError as error:
            execution.error = StepErrorInfo("kernel-died", str(error), error.fix)
            return
        client = CellsClient(
            manager.nb,
            kernel,
            observer,
            cancel=execution.cancel,
            deadline=execution.deadline,
            allow_errors=execution.allow_errors,
            cell_seconds=execution.cell_seconds,
        )
        observer.settle = client.settle
        try:
            execution.error = await client.run()
            execution.kernel_seconds = (client.connected_at or time.monotonic()) - began
            if execution.error is None and execution.is_at_rest():
                await client.take_what_is_there()
                settled()
                await kernel.ask_to_end()
            elif execution.error is None or execution.error.kind == "error":
                await client.finish()
        finally:
            await kernel.stop()

    run_in_thread(run, execution.cancel)
    if execution.error is not None:
        manager.nb.metadata.papermill["exception"] = True
    # papermill goes on to put marker cells into its notebook when it sees an error: ours is kept apart.
    execution.notebook = NotebookNode(manager.nb, cells=list(manager.nb.cells))


def _as_nbclient_error(error: StepErrorInfo) -> Exception:
    message = f"{error.message}\n{error.first_line}" if error.first_line else error.message
    if error.kind == "timeout":
        return CellTimeoutError(message)
    return DeadKernelError(message)
