"""The process that ready kernels are forked from. Runs by path in the kernel's own Python; imports nothing of ours.

It imports ipykernel and the modules that it is given, and does nothing else: no thread, no event loop, no zmq context
exists here when a kernel is forked, which is checked by counting this process's tasks. A module that starts a thread,
prints, warns, fails, or asks whether it is in a notebook does not give in a fork what it gives in a cell: the process
says so and ends, and is started again without that module.

Messages are JSON over a SOCK_SEQPACKET socket. It tells ``{"importing": name}`` before each import, then ``{"ready":
...}`` or ``{"refused": name, "why": ...}``. It is asked ``{"fork": connection file, "mark": ...}`` with two descriptors
(log, leash), and ``{"status": pid}``. When the other end closes, it ends.

    python zygote.py DESCRIPTOR MODULE...          the zygote
    python zygote.py --single LEASH FILE           one ordinary kernel that waits to be told what it is to be
"""

from __future__ import annotations

import array
import builtins
import contextlib
import gc
import importlib
import importlib.util
import json
import os
import socket
import sys
import time
import traceback
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import Self  # kernels may run on an older Python

MATPLOTLIB_BACKEND = "module://matplotlib_inline.backend_inline"

QUIET = {
    # Libraries that start threads when they are loaded, unless told otherwise. OpenBLAS gets its threads back in the
    # kernel (`_restore_blas_threads`); Arrow's allocator does without the one that returns memory in the background.
    "OPENBLAS_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}

BASE = (
    "ipykernel.kernelapp", "ipykernel.ipkernel", "ipykernel.zmqshell", "ipykernel.heartbeat", "ipykernel.iostream",
    "ipykernel.displayhook", "ipykernel.comm.manager", "ipykernel.debugger", "ipykernel.subshell_manager",
    "IPython.core.magics", "IPython.core.completer", "IPython.core.completerlib", "IPython.core.debugger",
    "IPython.core.ultratb", "IPython.core.oinspect", "IPython.core.pylabtools", "IPython.lib.pretty",
    "IPython.extensions.storemagic", "faulthandler", "sqlite3", "pdb", "jupyter_client.session",
    "tornado.platform.asyncio", "zmq.eventloop.zmqstream", "zmq.asyncio",
)  # fmt: skip


class RefusedError(Exception):
    """``module`` must not be imported ahead, because of ``why``."""

    def __init__(self, module: str, why: str) -> None:
        super().__init__(module, why)
        self.module = module
        self.why = why


def main(descriptor: int, modules: list[str]) -> None:
    """Import, then fork kernels on request until the other end closes."""
    control = socket.socket(fileno=descriptor)
    os.set_inheritable(descriptor, False)
    before = dict(os.environ)
    os.environ.setdefault("MPLBACKEND", MATPLOTLIB_BACKEND)
    for name in BASE:
        try:
            importlib.import_module(name)
        except ImportError:
            continue  # not in this version of ipykernel
    _load("inside")
    _load_kernel_side()
    plain = _loaded()
    try:
        with _Questions() as questions:
            for name in modules:
                _tell(control, {"importing": name})
                _import_ahead(name, questions)
    except RefusedError as refused:
        _tell(control, {"refused": refused.module, "why": refused.why})
        return
    ours = {*QUIET, "MPLBACKEND"}
    changes = {name: value for name, value in os.environ.items() if name not in ours and before.get(name) != value}
    _new_application()
    sys.modules["_jupyter_pipelines_kernel.local_modules"].know_installed()
    _find_blas()
    all_modules = _load("all_modules").AllModules()
    gc.collect()
    gc.disable()  # until a kernel is up
    gc.freeze()  # the collector must not touch, and thereby copy, what all kernels share
    _tell(control, {"ready": {"files": _watched_files(), "loaded": sorted(_loaded() - plain)}})
    while request := _receive(control):
        message, descriptors = request
        if "fork" in message:
            _serve_fork(control, message, descriptors, changes, all_modules)
        else:
            _tell(control, {"status": _exit_status(message["status"])})


def _serve_fork(
    control: socket.socket, message: dict[str, Any], descriptors: list[int], env: dict[str, str], all_modules: Any
) -> None:
    tasks = len(os.listdir("/proc/self/task"))
    if tasks != 1:
        _tell(control, {"refused": "", "why": f"{tasks} threads"})
    else:
        pid = os.fork()
        if pid == 0:
            control.close()
            try:
                _become_kernel(message["fork"], message["mark"], descriptors, env, all_modules)
            except BaseException:
                traceback.print_exc()
            finally:
                _leave()
        _tell(control, {"pid": pid})
    for descriptor in descriptors:
        os.close(descriptor)


def _become_kernel(
    connection_file: str, mark: dict[str, str], descriptors: list[int], env: dict[str, str], all_modules: Any
) -> None:
    os.setsid()
    log, leash = descriptors
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    for descriptor in (nothing, log):
        os.close(descriptor)
    os.environ.update(mark)
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()  # Python's own `random` does so by itself
    boot(connection_file, leash, env, all_modules)


def boot(connection_file: str, leash: int, changes: dict[str, str], all_modules: Any = None) -> None:
    """Bring an ipykernel up, say so on the leash, and serve until it is shut down.

    ``all_modules`` are those that are imported, if that is known already (``all_modules.AllModules``).
    """
    inside = _load("inside")
    sys.argv = [os.path.join(os.path.dirname(importlib.import_module("ipykernel").__file__ or ""), "..",
                             "ipykernel_launcher.py"), "-f", connection_file]  # fmt: skip
    sys.argv[0] = os.path.normpath(sys.argv[0])
    app = _new_application()
    app.connection_file = connection_file
    before = dict(os.environ)
    _keep_outputs(app)
    with all_modules.known(app) if all_modules is not None else contextlib.nullcontext():
        app.initialize([])
    changes.update({name: value for name, value in os.environ.items() if before.get(name) != value})
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.install_repl_displayhook()  # it looked for a shell when it was imported, and there was none yet
    inside.install(app.shell)
    inside.hold_leash(leash, lambda message: _adopt(app.shell, message, changes))
    gc.enable()
    app.shell.run_cell("pass", silent=True)  # what the first cell takes longer is taken here
    _ = app.shell.display_formatter.formatters  # made when they are first asked for
    said = {"language_info": app.kernel.language_info, "welcomes": _welcomes(app)}
    os.write(leash, json.dumps(said).encode() + b"\n")
    app.start()


def _keep_outputs(app: Any) -> None:
    """Have outputs wait for a slow client: libzmq drops what exceeds 1,000 messages."""
    import zmq

    init_iopub = app.init_iopub

    def init(context: zmq.Context[Any]) -> None:
        context.setsockopt(zmq.SNDHWM, 0)  # of the sockets that are made from here on
        init_iopub(context)

    app.init_iopub = init


def _welcomes(app: Any) -> bool:
    """Whether the kernel's output channel tells a client that it is connected (ipykernel 7 does)."""
    import zmq

    return bool(app.iopub_socket.type == zmq.XPUB)


def _new_application() -> Any:
    """The kernel's application as far as it is the same in every kernel: its options are read."""
    from ipykernel.kernelapp import IPKernelApp

    if not IPKernelApp.initialized():
        app: Any = IPKernelApp.instance(parent_handle=0)  # the leash tells when our parent goes
        app.parse_command_line(["--HistoryManager.hist_file=:memory:"])
        app.parse_command_line = lambda _: None  # once is enough
    return IPKernelApp.instance()


def _adopt(shell: Any, message: dict[str, Any], changes: dict[str, str]) -> None:
    """Become the kernel of one step: its environment, its directory."""
    os.environ.clear()
    os.environ.update({**message["env"], **changes})
    os.environ.setdefault("MPLBACKEND", MATPLOTLIB_BACKEND)
    time.tzset()
    os.chdir(message["directory"])
    shell.starting_dir = message["directory"]
    visited = shell.user_ns["_dh"]  # the directories that `%cd -` knows: strings or paths, as IPython has it
    visited[:] = [type(visited[0])(os.getcwd())] if visited else []
    _restore_blas_threads()
    if message["stops_at_failure"]:
        _load("inside").stop_at_failure(shell)


def _restore_blas_threads() -> None:
    """Give OpenBLAS the threads it would have taken when it was loaded."""
    wanted = next((os.environ[name] for name in ("OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS")
                   if os.environ.get(name, "").isdigit()), "")  # fmt: skip
    count = int(wanted) if wanted else len(os.sched_getaffinity(0))
    if count > 1:
        for set_threads in _blas:
            set_threads(count)


_blas: list[Any] = []  # of each OpenBLAS that was loaded ahead: what sets how many threads it has


def _find_blas() -> None:
    """Look for them before the fork: a kernel would take some milliseconds for it, and a step wait for that."""
    import ctypes

    with open("/proc/self/maps") as maps:
        libraries = {line.split(maxsplit=5)[5].strip() for line in maps if "openblas" in line}
    for path in libraries:
        try:
            library = ctypes.CDLL(path)
        except OSError:
            continue
        for prefix in ("", "scipy_"):
            for suffix in ("", "64_"):
                function = getattr(library, f"{prefix}openblas_set_num_threads{suffix}", None)
                if function is not None:
                    _blas.append(function)


def _leave() -> None:
    """End a forked kernel as an interpreter would, without tearing down what it shares with its siblings."""
    import atexit

    try:
        shell = sys.modules["IPython"].get_ipython()
        atexit._run_exitfuncs()
        if shell is not None:
            shell.user_ns.clear()  # closes, and thereby writes, files left open
            shell.user_ns_hidden.clear()
            gc.collect()
        for stream in (sys.__stdout__, sys.__stderr__):
            if stream is not None:
                stream.flush()
    except BaseException:
        traceback.print_exc(file=sys.__stderr__)
    finally:
        os._exit(0)


# Importing ahead ---------------------------------------------------------------------------------------------------


class _KernelShell:
    """The one thing about a kernel's shell that is true before there is one."""

    kernel = True


class _Questions:
    """Has every question "is there a shell?" noted: its answer differs between here and a cell."""

    def __init__(self) -> None:
        self.by: list[str] = []
        self._listening = True

    def __enter__(self) -> Self:
        import IPython
        from IPython.core import getipython
        from IPython.core.interactiveshell import InteractiveShell

        get_ipython, initialized = getipython.get_ipython, InteractiveShell.initialized

        def noting_get_ipython() -> Any:
            self._note(sys._getframe(1))
            return get_ipython()

        def noting_initialized(_: type) -> bool:
            self._note(sys._getframe(1))
            return bool(initialized())

        def builtin_get_ipython() -> Any:
            frame = sys._getframe(1)
            if frame.f_globals.get("__name__", "").startswith("pandas."):
                return _KernelShell()  # by `kernel` alone it chooses how wide a table is shown
            self._note(frame)
            raise NameError("name 'get_ipython' is not defined")

        # In a kernel IPython puts it among the builtins, where some modules look for it.
        builtins.get_ipython = builtin_get_ipython  # type: ignore[attr-defined]  # of our making
        IPython.get_ipython = getipython.get_ipython = noting_get_ipython
        InteractiveShell.initialized = classmethod(noting_initialized)  # type: ignore[method-assign,assignment]

        def restore() -> None:
            IPython.get_ipython = getipython.get_ipython = get_ipython
            del InteractiveShell.initialized
            del builtins.get_ipython  # type: ignore[attr-defined]  # of our making

        self._restore = restore
        return self

    def __exit__(self, *_: object) -> None:
        self._listening = False  # for modules that keep what they got from us
        self._restore()

    def _note(self, frame: FrameType) -> None:
        module = frame.f_globals.get("__name__", "?")
        # pyplot is told later, see `boot`; the other is how IPython asks itself.
        if self._listening and module not in {"matplotlib.pyplot", "IPython.core.getipython"}:
            self.by.append(module)


def _import_ahead(name: str, questions: _Questions) -> None:
    if not _is_installed(name):
        return  # a module beside the notebook: it is imported where the notebook is
    with _Captured() as captured:
        try:
            importlib.import_module(name)
        except BaseException as error:  # also SystemExit
            raise RefusedError(name, f"it fails: {error!r}") from None
    tasks = len(os.listdir("/proc/self/task"))
    if tasks != 1:
        raise RefusedError(name, "it starts threads")
    if captured.size:
        raise RefusedError(name, "it prints")
    if questions.by:
        raise RefusedError(name, f"{questions.by[0]} asks whether it is in a notebook")


def _is_installed(name: str) -> bool:
    try:
        spec = importlib.util.find_spec(name.partition(".")[0])
    except (ImportError, ValueError):
        return False
    if spec is None:
        return False
    ours = name.startswith("jupyter_pipelines.")  # also where it is being worked on: nobody changes it in a notebook
    return ours or spec.origin in {None, "built-in", "frozen"} or not _is_outside(spec.origin or "")


def _is_outside(file: str) -> bool:
    """Whether ``file`` lies outside of the installed packages: somebody may be editing it."""
    import sysconfig

    places = [sysconfig.get_path(place) for place in ("stdlib", "platstdlib", "purelib", "platlib")]
    places += [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    real = os.path.realpath(file)
    return not any(real.startswith(os.path.realpath(place) + os.sep) for place in places)


def _loaded() -> set[str]:
    """The top-level modules that are imported."""
    return {name.partition(".")[0] for name in sys.modules}


def _watched_files() -> dict[str, int]:
    """The imported files that may be edited, and the folders that installing a package changes: time of change."""
    files = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    watched = [file for file in files if file and os.path.isfile(file) and _is_outside(file)]
    watched += [path for path in sys.path if path.endswith(("site-packages", "dist-packages")) and os.path.isdir(path)]
    here = os.path.dirname(os.path.abspath(__file__))
    return {path: os.stat(path).st_mtime_ns for path in watched if not path.startswith(here)}


class _Captured:
    """What is written to descriptors 1 and 2 in between; kept from being seen, and measured."""

    size = 0

    def __enter__(self) -> Self:
        import tempfile

        self._file = tempfile.TemporaryFile()
        self._saved = [os.dup(1), os.dup(2)]
        os.dup2(self._file.fileno(), 1)
        os.dup2(self._file.fileno(), 2)
        return self

    def __exit__(self, *_: object) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        for target, saved in zip((1, 2), self._saved):  # noqa: B905 - `strict` is not in older Pythons
            os.dup2(saved, target)
            os.close(saved)
        self.size = os.fstat(self._file.fileno()).st_size
        self._file.close()


# Talking -----------------------------------------------------------------------------------------------------------


def _tell(control: socket.socket, message: dict[str, Any]) -> None:
    control.send(json.dumps(message).encode())


def _receive(control: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    data, ancillary, _, _ = control.recvmsg(1 << 16, socket.CMSG_LEN(8 * 4), socket.MSG_CMSG_CLOEXEC)
    descriptors = array.array("i")
    for level, kind, payload in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            descriptors.frombytes(payload[: len(payload) - len(payload) % descriptors.itemsize])
    return (json.loads(data), list(descriptors)) if data else None


def _exit_status(pid: int) -> int | None:
    try:
        ended, status = os.waitpid(pid, 0)
    except ChildProcessError:
        return None
    return os.waitstatus_to_exitcode(status) if ended else None


def _load_kernel_side() -> None:
    """Have ready what the hidden cells of a step run."""
    import runpy

    folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    runpy.run_path(os.path.join(folder, "kernel_side", "load.py"))


def _load(name: str) -> Any:
    """A module beside this file, loaded once: each kernel of ours has it."""
    full = f"_jupyter_pipelines_{name}"  # as in `inside.NAME`
    if full not in sys.modules:
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), f"{name}.py")
        spec = importlib.util.spec_from_file_location(full, path)
        assert spec is not None
        assert spec.loader is not None
        module = sys.modules[full] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[full]


if __name__ == "__main__":
    # Run by path, the first place modules are looked for is this file's folder; a kernel's is its working directory.
    del sys.path[0]
    if sys.argv[1] == "--single":
        _load_kernel_side()
        boot(sys.argv[3], int(sys.argv[2]), {})
    else:
        main(int(sys.argv[1]), sys.argv[2:])
