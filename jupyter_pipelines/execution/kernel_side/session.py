"""The phases of a step in its kernel: *begin*, *load*, *save*.

The job comes as a JSON file and the result goes into one beside it, so nothing passes through what the notebook shows.
A refusal is written there too; then the phase raises :class:`StepRefusedError`, which ends the step.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
from typing import Any

from . import ambient, generators, rebuild, rest
from .container import Container, ContainerError
from .files import FileRecorder
from .imports import ImportWatcher
from .lending import Lending
from .refusals import UncarriableError
from .saving import Saving, fresh_digest
from .watching import Watch

Json = dict[str, Any]


class StepRefusedError(Exception):
    """Going on would give another result than a plain run; the reason is in the result file."""


_sessions: dict[str, Session] = {}  # by job; a kernel has one

MOST_NUMBERS = 100  # plain numbers of a step that are noted down


def run(phase: str, job: str) -> None:
    """Run one phase; ``job`` is the path of the job file."""
    if job not in _sessions:
        _sessions[job] = Session(job)
    getattr(_sessions[job], phase)()


def runs_a_step() -> bool:
    """Whether this kernel runs a step; one that only brings back what a step had is for a person."""
    return any(not session.job.get("debugged") for session in _sessions.values())


def last_run() -> dict[str, str]:
    """What this kernel has run last of each cell of a notebook that debugs a step, by their ids."""
    return {cell: source for session in _sessions.values() for cell, source in session.ran.items()}


def record_metric(name: str, value: float) -> None:
    """Note down a number that the notebook wants to have on record."""
    record("metrics", {name: value})


def record(kind: str, note: Json) -> None:
    """Note down what is to be on record with the run: at once, so that no crash takes it."""
    for session in _sessions.values():
        with open(os.path.join(session.folder, f"{kind}.jsonl"), "a", encoding="utf-8") as file:
            file.write(json.dumps(note) + "\n")


def about_run() -> Json:
    """The run that the step of this kernel is a part of."""
    return next((dict(session.job.get("about", {})) for session in _sessions.values()), {})


class Session:
    """One step in this kernel."""

    def __init__(self, path: str) -> None:
        with open(path, encoding="utf-8") as file:
            self.job: Json = json.load(file)
        ambient.flags_are_asked = self.job["flags_later"]
        self.result: Json = {}
        self.folder = os.path.dirname(path)
        self._result_path = os.path.join(self.folder, "result.json")
        self.shell = _shell()
        self.user: dict[str, Any] = sys.modules["__main__"].__dict__
        self._containers: dict[str, Container] = {}
        self._waiting: dict[str, Json] = {}  # inputs that hold objects of definitions which are yet to be repeated
        self.ran: dict[str, str] = {}  # of a notebook that debugs a step
        self.environment: dict[str, str] = {}
        self.state: Json = {}
        self._set: list[str] = []  # random generators that the step has set
        self._set_up: list[str] = []  # random generators that setup has set
        self.setup_digests: dict[str, str] = {}
        self._held: set[str] | None = None
        self._imports = ImportWatcher(ambient.capture_while_importing, self._account_for_import, self._look_at_modules)
        self._imports_of_setup = ImportWatcher(ambient.capture_generators, self._account_for_import, lambda: None)
        self._lending = Lending(self.job["modules_used"])
        self.files = FileRecorder([self.job["objects"], os.path.dirname(path), *self.job["ignored"]])

    # begin

    def begin(self) -> None:
        """Make the kernel what Jupyter would give the notebook, and this step's place in it."""
        os.environ.update(self.job["env"])
        os.chdir(self.job["directory"])
        if not sys.path or sys.path[0] != "":
            sys.path.insert(0, "")
        _limit_threads(self.job["threads"])
        rebuild.origin = self.job["step"]
        self._held = rest.holdings()
        self.state = ambient.capture_generators()
        self._imports_of_setup.start()
        if self.shell is not None and self.job["counts"]:
            Counter(self.shell, self.job["counts"])
        if self.shell is not None and self.job.get("debugged") and not self.ran:
            self.shell.events.register("post_run_cell", self._note_down)

    def _note_down(self, result: Any = None) -> None:
        info: Any = getattr(result, "info", None)
        if getattr(info, "cell_id", None):
            self.ran[info.cell_id] = info.raw_cell

    def secrets(self) -> None:
        """Give a step that is debugged its secret parameters."""
        exec(self.job["secrets"], self.user)

    # load

    def load(self) -> None:
        """Give the step what it needs, and look at all that it does from here on."""
        self._imports_of_setup.stop()
        self._set_up = generators.were_set(self.state, ambient.capture_generators())
        self.restore()
        self.state = ambient.capture()
        self.watch = Watch(self.job, self.user, self.shell, self.files)
        self._imports.start()
        self._lending.look()
        self.files.on = True

    def restore(self) -> None:
        """Take stock of what setup left, then give the step its hidden state and its inputs."""
        rebuild.take_stock(self.user)
        self.setup_digests = self._digest_setup()
        self.environment = dict(os.environ)
        inputs = self.job["inputs"]
        try:
            for name, component in self.job["state"].items():
                ambient.restore(name, self._read(component, f"state:{name}", f"the state of {name}"))
            self._waiting = dict(inputs)
            self._load_inputs(set(self.job["late_names"]))
        finally:
            self._forget_containers()
            self._write_result()

    def load_more(self) -> None:
        """Load the inputs that could be as soon as one more definition was repeated."""
        self._load_inputs(set(self.job["late_names"]))

    def load_rest(self) -> None:
        """All definitions have been repeated: load the inputs that waited for them."""
        try:
            self._load_inputs(set())
        finally:
            self._waiting.clear()
            self._forget_containers()
            self._write_result()

    def _load_inputs(self, to_come: set[str]) -> None:
        """Load what waits, but not what needs a name ``to_come``. Raises :class:`StepRefusedError`."""
        for name, carried in list(self._waiting.items()):
            if not to_come or to_come.isdisjoint(self._missing(carried, name)):
                self.user[name] = self._read(carried, name, f"`{name}`")
                del self._waiting[name]

    def _missing(self, carried: Json, name: str) -> list[str]:
        """The definitions that an input needs and this kernel has not; none where it cannot be looked at."""
        with contextlib.suppress(ContainerError):
            return [need for need in self._container(carried).group(name)["needs"] if need not in self.user]
        return []

    def _container(self, carried: Json) -> Container:
        address = carried["container"]
        if address not in self._containers:
            self._containers[address] = Container(self.job["objects"], address)
        return self._containers[address]

    def _forget_containers(self) -> None:
        """The values are the notebook's as soon as all are loaded: what it deletes then must be gone."""
        if not self._waiting:
            self._containers.clear()

    def _look_at_modules(self) -> None:
        self.watch.modules.look()
        self._lending.look()

    def _account_for_import(self, before: Json, after: Json) -> None:
        """Take what an import did to hidden state as if it had been so from the start."""
        for name, changed in ambient.changed(before, after).items():
            untouched = name in before and name in self.state and not ambient.is_changed(self.state[name], before[name])
            if changed and (untouched or name not in self.state):
                self.state[name] = after[name]

    def _read(self, carried: Json, name: str, what: str) -> Any:
        try:
            container = self._container(carried)
            if missing := self._missing(carried, name):
                self.result["observed"] = {"definitions_needed": missing}
                names = " and ".join(f"`{need}`" for need in missing)
                self._refuse(
                    f"{what} is made with {names}, which is defined in another step and not known here",
                    f"define {names} in a setup cell, which runs at the start of every step",
                    variable=name,
                )
            return container.load([name])[name]
        except ContainerError as error:
            self._refuse(f"{what} cannot be read back: {error}", "run the step that makes it again", variable=name)
        except StepRefusedError:
            raise
        except Exception as error:  # whatever a value's own unpickling raises
            self._refuse(
                f"{what} ({carried.get('type', '?')}) cannot be read back: {type(error).__name__}: {error}",
                "hand over its data in a simpler form, or make it in a setup cell",
                variable=name,
            )

    def _digest_setup(self) -> dict[str, str]:
        digests = {}
        for name in self.job["setup_names"]:
            if name in self.user:
                found = fresh_digest(self.user[name], self.job["definitions"])
                if found is not None:
                    digests[name] = found
        return digests

    # save

    def save(self) -> None:
        """Compare what must not have changed, write what later steps need, and say what was seen."""
        self.files.on = False
        self._imports.stop()
        self._lending.stop()
        self.watch.stop()
        state = ambient.capture()
        changes = ambient.changed(self.state, state)
        self._set = generators.were_set(self.state, {name: state[name] for name in ambient.GENERATORS if name in state})
        saving = Saving(self.job, self.user)
        unseen = next(self.watch.refusals(), None)
        self.result["numbers"] = self._numbers()
        saving.changed += self.watch.changed_values()
        try:
            saving.pickle_all()
            saving.check_inputs()
            saving.add_state(self._state_to_carry(state, changes))
            self.result.update(saving.write())
        except UncarriableError as error:
            self.result["observed"] = self._observed(saving, changes)
            self._refuse(*saving.explain(error))
        after = self._digest_setup()
        saving.changed += [
            name for name in after if after[name] != self.setup_digests.get(name) and name not in self.job["outputs"]
        ]
        self.result["setup_digests"] = self.setup_digests
        self.result["observed"] = self._observed(saving, changes)
        if saving.refusal is not None:
            self._refuse(*saving.refusal)
        if unseen is not None:
            self._refuse(*unseen)
        held = rest.holdings()
        self.result["at_rest"] = held is not None and self._held is not None and held <= self._held
        self._write_result()

    def _numbers(self) -> dict[str, float]:
        """The plain numbers that the step's cells have bound."""
        found: dict[str, float] = {}
        for name in self.job["bound"]:
            value: Any = self.user.get(name)
            kind = type(value)
            if (
                kind.__module__ == "numpy"
                and getattr(value, "ndim", 1) == 0
                and kind.__name__ not in ("bool", "ndarray")
            ):
                value = value.item()
            if type(value) in (int, float) and len(found) < MOST_NUMBERS:
                with contextlib.suppress(OverflowError):
                    found[name] = float(value)
        return found

    def _state_to_carry(self, state: Json, changes: dict[str, bool]) -> Json:
        """What the graph asks for, and what has changed without its knowledge: from now on it knows."""
        drawn = {*ambient.GENERATORS} - {*self._set}
        unforeseen = [name for name, changed in changes.items() if changed and name not in drawn]
        carried = {name: state[name] for name in (*self.job["state_outputs"], *unforeseen) if name in state}
        if "os.environ" in carried:
            carried["os.environ"] = ambient.environment_changes(self.environment, carried["os.environ"])
        return carried

    def _observed(self, saving: Saving, changes: dict[str, bool]) -> Json:
        return {
            "unchanged": saving.unchanged,
            "changed": saving.changed,
            "aliases": saving.aliases,
            "state_changed": [name for name, changed in changes.items() if changed],
            "state_untouched": [name for name, changed in changes.items() if not changed],
            "state_set": self._set,
            "state_set_up": self._set_up,
            "files_read": list(self.files.read),
            "files_written": list(self.files.written),
            "modules_lent": self._lending.lent,
            "modules_loaded": [name for name in self.job["modules_used_later"] if name in sys.modules],
        }

    # the result

    def _refuse(self, message: str, fix: str, variable: str = "", cell: int | None = None) -> None:
        """``cell``: which of the step's cells did it, counted from 0, where that is known."""
        self.result["refused"] = {"message": message, "fix": fix, "variable": variable, "cell": cell}
        self._write_result()
        raise StepRefusedError(message)

    def _write_result(self) -> None:
        temporary = self._result_path + ".writing"
        with open(temporary, "w", encoding="utf-8") as file:
            json.dump(self.result, file)
        os.replace(temporary, self._result_path)


class Counter:
    """Numbers the cells as running the whole notebook from top to bottom would."""

    def __init__(self, shell: Any, counts: list[int]) -> None:
        self._shell = shell
        self._counts = counts
        self._next = 0
        self._number()
        shell.events.register("post_run_cell", self._after_cell)

    def _after_cell(self, result: Any = None) -> None:
        info = getattr(result, "info", None)
        if info is None or not info.store_history:
            return
        self._next += 1
        self._number()

    def _number(self) -> None:
        if self._next < len(self._counts):
            count = self._shell.execution_count = self._counts[self._next]
            history = self._shell.history_manager
            for inputs in (history.input_hist_parsed, history.input_hist_raw):
                inputs.extend([""] * (count - len(inputs)))


def _shell() -> Any:
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


def _limit_threads(threads: int | None) -> None:
    if threads is None:
        return
    if "numpy" in sys.modules:  # it has started its threads; libraries loaded later go by the environment
        with contextlib.suppress(ImportError):
            importlib.import_module("threadpoolctl").threadpool_limits(threads)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)
