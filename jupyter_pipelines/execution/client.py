"""Runs a notebook's cells in a kernel: nbclient's account of outputs, our own account of time, death and the end.

What is recorded in a cell is nbclient's (``process_message`` and what it calls: display ids, widgets, comms, clearing),
with four differences, each of them what JupyterLab does: consecutive pieces of a stream are one output, overwritten
lines are gone, output that arrives late goes to the cell that caused it, and the next cells are sent before the one
that runs has ended, so that the kernel need not wait for us.
"""

from __future__ import annotations

import asyncio
import logging
import re
import threading
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextvars import copy_context
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionComplete
from nbformat import NotebookNode
from nbformat.v4 import output_from_msg

from jupyter_pipelines.execution.kernels.kernel import Kernel, KernelStartError
from jupyter_pipelines.execution.kernels.processes import wait_until_removed
from jupyter_pipelines.execution.model import StepErrorInfo
from jupyter_pipelines.execution.stream import StreamOutput
from jupyter_pipelines.notebook.model import MAY_FAIL

if TYPE_CHECKING:
    from jupyter_client.asynchronous.client import AsyncKernelClient

logger = logging.getLogger(__name__)

Message = dict[str, Any]  # Jupyter's wire format

AHEAD = 3
"""Cells that are sent before their turn. In kernels that go on after a failure none is.

Of the author's cells only one is on its way: where the next one ends the process at once, what the one before has said
would be lost with it, and the wrong cell blamed.
"""

OUTPUT_SILENCE = 60.0
"""Seconds without a message after which a finished cell's missing "idle" is given up (kernels may drop messages).

Ours drop none: on a machine that has too much to do, what a cell has shown may still be on its way.
"""


class CellObserver(Protocol):
    """Is told what happens to each cell; ``index`` is the cell's position in the notebook that runs."""

    def cell_started(self, cell: NotebookNode, index: int) -> None: ...
    def cell_output(self, output: NotebookNode, index: int) -> None: ...
    def cell_finished(self, cell: NotebookNode, index: int, error: StepErrorInfo | None) -> None: ...
    def idle(self) -> None:
        """Called now and then while a cell runs."""


class RunOverError(Exception):
    """The run ends here, before its last cell."""

    def __init__(self, kind: str, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.fix = fix


class CellsClient(NotebookClient):
    """Executes the cells of one notebook in one kernel, once."""

    def __init__(
        self,
        nb: NotebookNode,
        kernel: Kernel,
        observer: CellObserver,
        *,
        cancel: threading.Event,
        deadline: float | None,
        allow_errors: bool = False,
        cell_seconds: float | None = None,
        **options: object,
    ) -> None:
        super().__init__(nb, km=kernel.manager, allow_errors=allow_errors, **options)
        self._kernel = kernel
        self._observer = observer
        self._cancel = cancel
        self._deadline = deadline
        self._cell_seconds = cell_seconds
        self._requests: dict[int, str] = {}  # cell index -> message id
        self._cells: dict[str, int] = {}  # message id -> cell index
        self._replies: dict[str, Message] = {}  # by message id
        self._streams: dict[int, StreamOutput] = {}  # cell index -> the stream output it ends with
        self._clear_next: set[int] = set()  # cells that asked to be cleared before their next output
        self._current: int | None = None
        self._connection: AsyncKernelClient
        self.connected_at: float | None = None  # on the monotonic clock

    async def run(self) -> StepErrorInfo | None:
        """Run the cells up to the first failure, which is returned. Ends with the kernel still running, if it does."""
        try:
            return await self._guard(self._run())
        except RunOverError as over:
            error = StepErrorInfo(over.kind, str(over), over.fix)
            if over.kind == "kernel-died":
                self._pass_on_to_author()
            return error if self._current is None else self._end_cell(self._current, error)
        except KernelStartError as failure:
            return StepErrorInfo("kernel-died", str(failure), failure.fix)
        finally:
            self.set_widgets_metadata()

    async def _run(self) -> StepErrorInfo | None:
        self._connection = self.kc = await self._kernel.connect()
        self.connected_at = time.monotonic()
        if self._kernel.language_info:
            self.nb.metadata["language_info"] = self._kernel.language_info
        waiting = [
            index for index, cell in enumerate(self.nb.cells) if cell.cell_type == "code" and cell.source.strip()
        ]
        ahead = AHEAD if self._kernel.stops_at_failure else 0
        for place, index in enumerate(waiting):
            for other in self._next(waiting[place : place + 1 + ahead]):
                self._send(other)
            error = await self._run_cell(index)
            if error is not None:
                return error
        return None

    def _next(self, waiting: list[int]) -> Iterator[int]:
        """The cells to be sent now, of those that are ``waiting``."""
        authors = 0
        for index in waiting:
            authors += not is_hidden(self.nb.cells[index])
            if authors > 1:
                return
            yield index

    async def _guard(self, work: Coroutine[Any, Any, StepErrorInfo | None]) -> StepErrorInfo | None:
        """Do ``work`` unless the run is cancelled, out of time, or the kernel ends first (:class:`RunOverError`)."""
        task = asyncio.ensure_future(work)
        ended = asyncio.ensure_future(self._kernel.wait_for_exit())
        try:
            while True:
                self._raise_if_over()
                pause = 0.1 if self._deadline is None else min(0.1, max(0.0, self._deadline - time.monotonic()))
                await asyncio.wait({task, ended}, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
                if task.done():
                    return task.result()
                if ended.done():
                    await asyncio.wait({task}, timeout=0.5)  # what it still said is on its way
                    if task.done():
                        return task.result()
                    raise RunOverError("kernel-died", *self._explain_death())
                self._observer.idle()
                self._kernel.trim_log()
        finally:
            task.cancel()
            ended.cancel()
            await asyncio.gather(task, ended, return_exceptions=True)

    def _raise_if_over(self) -> None:
        if self._cancel.is_set():
            raise RunOverError("cancelled", "cancelled")
        if self._deadline is not None and time.monotonic() >= self._deadline:
            raise RunOverError("timeout", "the time allowed was over", "allow more time (timeout), or make it do less")

    def _explain_death(self) -> tuple[str, str]:
        ending = self._kernel.describe_exit()
        words = self._kernel.last_words()
        message = f"the kernel died ({ending})" + (f"; its last words:\n{words}" if words else "")
        if "SIGKILL" in ending:
            return message, "it was killed from outside, most often because memory ran out: use less of it"
        return message, "a library crashed the process, or the code ended it (os._exit): run the cell by itself"

    def _send(self, index: int) -> None:
        """Send the cell to the kernel, once."""
        if index in self._requests:
            return
        cell = self.nb.cells[index]
        request = self._connection.execute(
            cell.source, store_history=not is_hidden(cell), stop_on_error=not self._may_fail(cell)
        )
        self._requests[index] = request
        self._cells[request] = index

    async def _run_cell(self, index: int) -> StepErrorInfo | None:
        cell = self.nb.cells[index]
        self._begin_cell(index)
        if self._cell_seconds is not None:
            self._deadline = time.monotonic() + self._cell_seconds
        reply = await self._outcome(self._requests[index])
        return self._end_cell(index, None if self._may_fail(cell) else _error_of(reply["content"]))

    def _pass_on_to_author(self) -> None:
        """Of a cell of ours and one of the author's that was sent behind it, it is the author's that ends a process."""
        if self._current is not None and is_hidden(self.nb.cells[self._current]):
            behind = [
                index for index in self._requests if index > self._current and not is_hidden(self.nb.cells[index])
            ]
            if behind:
                self._begin_cell(behind[0])

    def _begin_cell(self, index: int) -> None:
        cell = self.nb.cells[index]
        self._current = index
        self._observer.cell_started(cell, index)
        cell["metadata"]["execution"] = {}
        cell["outputs"] = []

    def _end_cell(self, index: int, error: StepErrorInfo | None) -> StepErrorInfo | None:
        """The cell has ended, or will not go on; returns ``error`` with the place where it happened."""
        cell = self.nb.cells[index]
        self._current = None
        self._settle(index)
        if is_hidden(cell):
            cell["execution_count"] = None
            if error is None:
                cell["outputs"] = []
        if error is not None:
            error = _place(error, cell)
            # Those that were sent and do not run any more have nothing to say.
            self._cells = {request: place for request, place in self._cells.items() if place <= index}
        self._observer.cell_finished(cell, index, error)
        return error

    def _may_fail(self, cell: NotebookNode) -> bool:
        return self.allow_errors or MAY_FAIL in cell.metadata.get("tags", [])

    async def _outcome(self, request: str) -> Message:
        """Take what the kernel publishes until it says that it is done with ``request``; returns its reply."""
        channel = self._connection.iopub_channel
        answered = False
        while True:
            if await channel.socket.poll(OUTPUT_SILENCE * 1000):
                if self._take(await channel.get_msg()) == request:
                    return await self._reply_to(request)
            elif answered:
                self.log.warning("the kernel did not say that it is idle; going on")
                return await self._reply_to(request)
            else:  # a long silence is a long computation, unless its reply is there
                answered = await self._has_reply_to(request)

    async def _reply_to(self, request: str) -> Message:
        while request not in self._replies:
            await self._take_reply()
        return self._replies.pop(request)

    async def _has_reply_to(self, request: str) -> bool:
        while await self._connection.shell_channel.socket.poll(0):
            await self._take_reply()
        return request in self._replies

    async def _take_reply(self) -> None:
        message: Message = await self._connection.get_shell_msg()
        self._replies[message["parent_header"].get("msg_id", "")] = message

    def _take(self, message: Message) -> str | None:
        """Record one published message in the cell that caused it; return the request that it ends, if it ends one."""
        request: str = message["parent_header"].get("msg_id", "")
        index = self._cells.get(request)
        if index is None or message["msg_type"] == "shutdown_reply":
            return None
        self.clear_before_next_output = index in self._clear_next
        try:
            self.process_message(message, self.nb.cells[index], index)
        except CellExecutionComplete:
            return request
        finally:
            (self._clear_next.add if self.clear_before_next_output else self._clear_next.discard)(index)
            if index != self._current:
                self._settle(index)
        return None

    def output(
        self, outs: list[NotebookNode], msg: Message, display_id: str | None, cell_index: int
    ) -> NotebookNode | None:
        """nbclient's hook for each output: joins consecutive pieces of a stream."""
        parent = msg["parent_header"].get("msg_id")
        captured = bool(self.output_hook_stack[parent])  # an Output widget takes it
        if not captured and msg["msg_type"] == "stream" and not self.clear_before_next_output:
            stream = self._streams.get(cell_index)
            if stream and outs and outs[-1] is stream.output and stream.output["name"] == msg["content"]["name"]:
                stream.append(msg["content"]["text"])
                self._tell(output_from_msg(msg), cell_index)
                return None
        out: NotebookNode | None = super().output(outs, msg, display_id, cell_index)
        if out is not None:
            self._settle(cell_index)
            if out["output_type"] == "stream":
                text, out["text"] = out["text"], ""
                self._streams[cell_index] = StreamOutput(out)
                self._streams[cell_index].append(text)
                self._tell(output_from_msg(msg), cell_index)
            else:
                self._tell(out, cell_index)
        return out

    async def finish(self) -> None:
        """Let the kernel end, and take what it still has to say."""
        last = asyncio.ensure_future(self._read_rest())
        try:
            await self._kernel.ask_to_end()
            await asyncio.wait({last}, timeout=0.005)
        finally:
            last.cancel()
            await asyncio.gather(last, return_exceptions=True)
        await self.take_what_is_there()

    async def take_what_is_there(self) -> None:
        """Take what the kernel has said and we have not read."""
        channel = self._connection.iopub_channel
        while await channel.socket.poll(0):
            self._take(await channel.get_msg())
        for index in list(self._streams):
            self._settle(index)

    async def _read_rest(self) -> None:
        while True:
            self._take(await self._connection.iopub_channel.get_msg())

    def _tell(self, output: NotebookNode, index: int) -> None:
        if not is_hidden(self.nb.cells[index]):
            self._observer.cell_output(output, index)

    def settle(self) -> None:
        """Bring the text of outputs that are still growing up to date, so that the notebook can be written."""
        for stream in self._streams.values():
            stream.settle()

    def _settle(self, index: int) -> None:
        stream = self._streams.pop(index, None)
        if stream is not None:
            stream.settle(final=True)


def is_hidden(cell: NotebookNode) -> bool:
    """Whether the cell is ours, run for its effect and not shown."""
    return bool(cell.metadata.get("jupyter_pipelines", {}).get("hidden"))


def run_in_thread(work: Callable[[Callable[[], None]], Coroutine[Any, Any, None]], cancel: threading.Event) -> None:
    """Run a coroutine in a thread and a loop of its own, until it has ended or calls what it is given: then it goes on
    alone, and :func:`wait_for_kernels` waits for it.

    Raises what the coroutine raises; sets ``cancel``, and waits for its end, when we are interrupted.
    """
    settled = threading.Event()
    failure: list[BaseException] = []

    def run() -> None:
        try:
            # zmq needs a loop that can watch sockets, which the default one on Windows cannot.
            with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
                runner.run(work(settle))
        except BaseException as error:
            if settled.is_set():
                logger.warning("A kernel has not ended as it should", exc_info=True)
            else:
                failure.append(error)
        finally:
            settled.set()
            _ending.discard(thread)

    def settle() -> None:
        _ending.add(thread)
        settled.set()

    thread = threading.Thread(target=copy_context().run, args=(run,), name="jupyter-pipelines-cells")
    thread.start()
    try:
        settled.wait()
    except BaseException:
        cancel.set()
        thread.join()
        raise
    if failure:
        raise failure[0]


def wait_for_kernels() -> None:
    """Wait until the kernels have ended that nobody waits for, and the files of steps are gone."""
    for thread in list(_ending):
        thread.join()
    wait_until_removed()


_ARROW = re.compile(r"^-*> ?(\d+) (.*)$", re.MULTILINE)
_LED_TO = re.compile(r"^(?:The above exception was the direct cause|During handling of the above)", re.MULTILINE)
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_ending: set[threading.Thread] = set()


def _error_of(reply: Message) -> StepErrorInfo | None:
    if reply.get("status") == "ok":
        return None
    ename, evalue = str(reply.get("ename", "error")), str(reply.get("evalue", ""))
    if ename == "StdinNotImplementedError":
        message, fix = "the code asks for input, and nobody is there to type it", "make it a parameter"
    elif ename == "SystemExit":
        message, fix = f"the code ends the program (SystemExit: {evalue})", "remove the call, or raise an error instead"
    else:
        message, fix = f"{ename}: {evalue}" if evalue else ename, ""
    return StepErrorInfo("error", message, fix, ename=ename, evalue=evalue, traceback=tuple(reply.get("traceback", ())))


def _place(error: StepErrorInfo, cell: NotebookNode) -> StepErrorInfo:
    first_line = next((line.strip() for line in cell.source.splitlines() if line.strip()), "")
    own = cell.metadata.get("jupyter_pipelines", {})
    error = replace(error, cell=own.get("index"))
    if own.get("hidden"):
        return error
    line = failing_line(error.traceback, cell.source)
    source = cell.source.splitlines()[line - 1].strip()[:200] if line is not None else ""
    return replace(error, first_line=first_line[:60], line=line, source=source)


def failing_line(traceback: Iterable[str], source: str) -> int | None:
    """The line of the cell that IPython's traceback begins with, that of the last of exceptions which led to others.

    ``None`` where it begins with something else.
    """
    lines = source.splitlines()
    above = next((at for at, line in enumerate(lines) if line.strip()), 0)  # empty lines, which IPython leaves out
    last = _LED_TO.split(_COLOURS.sub("", "\n".join(traceback)))[-1]
    for found in _ARROW.finditer(last):
        number = int(found[1]) + above
        is_it = 0 < number <= len(lines) and lines[number - 1].strip() == found[2].strip()
        return number if is_it else None
    return None
