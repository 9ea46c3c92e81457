"""What a step did that nothing in its cells tells, although later steps rely on it: reasons to refuse at its end."""

from __future__ import annotations

import contextlib
import sys
import time
import types
from collections.abc import Iterator
from typing import Any, Union

from .background import Background
from .definitions import Definitions
from .displays import Displays
from .files import FileRecorder
from .hooks import Hooks
from .local_modules import LocalModules

Json = dict[str, Any]
Refusal = tuple[str, str, str, Union[int, None]]  # message, fix, the name it is about, the step's cell (from 0)

LEISURE = 20  # looking takes at most one part in so many of the cells' time
_MISSING = object()
_NOT_KEPT = (  # what modules hold without remembering anything in it, or may share with others by chance
    *(types.ModuleType, types.FunctionType, types.BuiltinFunctionType, type),
    *(type(None), bool, int, float, complex, str, bytes),
)


class Watch:
    """Looks at definitions, names and background work from the loading of a step's inputs to its end."""

    def __init__(self, job: Json, user: dict[str, Any], shell: Any, files: FileRecorder) -> None:
        self._job, self._user, self._shell = job, user, shell
        known = {*job["inputs"], *job["outputs"]}
        # Values that setup makes and this step reads have digests; functions among them have not.
        values = {name for name in job["setup_names"] if not isinstance(user.get(name), types.FunctionType)}
        used = [name for name in job["used_later"] if name not in known and name not in values]
        self._definitions = Definitions(user, used, job["repeated_later"])
        self._taken_past = [name for name in job["taken_past"] if name not in known]
        self._bound: dict[str, Any] = {}  # what they stand for when the step's own cells begin
        self._background = Background(user) if job["later"] else None
        if self._background is not None:
            files.others["subprocess.Popen"] = self._background.process_started
        self.modules = LocalModules(job["directory"])
        self._displays = Displays(shell) if shell is not None else None
        self._hooks = Hooks(shell) if shell is not None and job["later"] else None
        self._cell = 0  # how many of the step's cells have run
        self._noticed: dict[str, int | None] = {}  # what was seen to change in which of them, if that is sure
        self._looked = 0.0, 0.0  # when last, and how long it took
        self._alone = True
        if shell is not None:
            self._definitions.start(shell)
            shell.events.register("pre_run_cell", self._before_first_cell)
            shell.events.register("post_run_cell", self._after_cell)

    def _before_first_cell(self, info: Any) -> None:
        """Definitions that needed loaded values have been repeated by now."""
        if info.store_history:
            self._bound = {name: self._user.get(name, _MISSING) for name in self._taken_past}
            self._shell.events.unregister("pre_run_cell", self._before_first_cell)

    def _after_cell(self, result: Any = None) -> None:
        info = getattr(result, "info", None)
        if info is None or not info.store_history:
            return
        if self._background is not None:
            self._background.look(self._cell)
        started = time.perf_counter()
        if started - self._looked[0] > LEISURE * self._looked[1]:
            for name in self._seen():
                self._noticed.setdefault(name, self._cell if self._alone else None)
            self._looked = time.perf_counter(), time.perf_counter() - started
            self._alone = True
        else:
            self._alone = False  # what is seen next may have come about in this cell too
        self._cell += 1

    def _seen(self) -> Iterator[str]:
        """What has changed so far."""
        if self._displays is not None:
            yield from (*self._displays.updated, *self._displays.new_formatters())
        if self._hooks is not None:
            yield from self._hooks.added()
        yield from self._definitions.changed()
        yield from (name for name, _ in self._rebound())

    def stop(self) -> None:
        """The step's own cells have run."""
        if self._shell is not None:
            self._definitions.stop(self._shell)
        if self._displays is not None:
            self._displays.stop()
            self._shell.events.unregister("post_run_cell", self._after_cell)
            with contextlib.suppress(ValueError):  # it has begun
                self._shell.events.unregister("pre_run_cell", self._before_first_cell)

    def changed_values(self) -> list[str]:
        """Functions that setup makes as values, and that are not any more what setup makes."""
        return [name for name in self._changed() if name in self._job["setup_names"]]

    def _changed(self) -> dict[str, str]:
        """Definitions that have changed, apart from those that are handed over with what changed."""
        handed = [self._user[name] for name in self._job["outputs"] if name in self._user]
        changed = self._definitions.changed().items()
        return {name: where for name, where in changed if not any(self._user[name] is held for held in handed)}

    def refusals(self) -> Iterator[Refusal]:
        """Why the step must be refused, and in which of its cells that came about."""
        step = self._job["step"]
        for name, where in self._changed().items():
            if name not in self._job["setup_names"]:
                reader = self._job["used_later"][name]
                message = (
                    f"step {step} changes `{where}`, which nothing in its cells tells, and step {reader} makes "
                    f"`{name}` anew from its definition"
                )
                fix = (
                    f"keep what changes in a variable beside `{name}`, which steps can hand over; or do this in setup, "
                    "or in one step with what relies on it"
                )
                yield message, fix, name, self._noticed.get(name)
        for name, what in self._rebound():
            reader = self._job["taken_past"][name]
            message = f"`{name}` was {what} by step {step}, which nothing in its cells tells; step {reader} reads it"
            yield message, f"assign it by its name: `{name} = …`", name, self._noticed.get(name)
        yield from self._modules_changed()
        if self._background is not None:
            for what, cell in self._background.unfinished():
                message = (
                    f"step {step} ends while {what} is still at work, which would end with it; step "
                    f"{self._job['later']} comes behind"
                )
                yield message, "wait for it in this step (`join()`, `await`, `result()`, `wait()`)", "", cell

        if self._displays is not None:
            yield from self._shown(self._displays)
        for hook in dict.fromkeys(self._hooks.added()) if self._hooks is not None else ():
            message = (
                f"step {step} registers {hook} with IPython, and {self._job['later']} and all behind would not know"
            )
            yield message, "move it to a setup cell", "", self._noticed.get(hook)

    def _modules_changed(self) -> Iterator[Refusal]:
        for module, where in self.modules.changed():
            found = next(((f"`{name}`", name, reader) for name, reader in self._later_names_of(module)), None)
            if found is None and module in self._job["stars_later"]:
                found = "what it defines", "", self._job["stars_later"][module]
            if found is not None:
                what, name, reader = found
                message = (
                    f"step {self._job['step']} changes `{where}`, what the module {module} remembers, and step "
                    f"{reader} uses {what} with the module as it is when it is imported"
                )
                fix = f"use {module} in one step only, or have it return what it remembers, which can be handed over"
                yield message, fix, name, None

    def _later_names_of(self, module: str) -> Iterator[tuple[str, str]]:
        """Names that stand for the module or for something in it, and the first later step that uses each."""
        kept = {id(value) for value in vars(sys.modules[module]).values() if not isinstance(value, _NOT_KEPT)}
        for name, reader in self._job["used_later"].items():
            value = self._user.get(name)
            if id(value) in kept or module in (getattr(value, "__name__", ""), getattr(value, "__module__", "")):
                yield name, reader

    def _shown(self, displays: Displays) -> Iterator[Refusal]:
        step = self._job["step"]
        for identity in displays.updated:
            message = f"step {step} updates the display {identity!r}, which it has not shown itself"
            yield message, "update it in the step that showed it, or display anew here", "", self._noticed.get(identity)
        for kind in displays.new_formatters() if self._job["later"] else ():
            message = f"step {step} says how to show {kind}, and {self._job['later']} and all behind would not know"
            yield message, "move it to a setup cell", "", self._noticed.get(kind)
        later = self._job["draws_later"]
        for number in displays.left_open() if later else ():
            message = f"step {step} leaves figure {number} open, and step {later} would draw on pyplot's current figure"
            yield message, f"close it (`plt.close()`), or begin step {later} with `plt.figure()`", "", None

    def _rebound(self) -> Iterator[tuple[str, str]]:
        for name, before in self._bound.items():
            now = self._user.get(name, _MISSING)
            module = self._job["modules_past"].get(name)  # a star import binds what later steps import, too
            if now is not before and not (module and isinstance(now, types.ModuleType) and now.__name__ == module):
                yield name, "deleted" if now is _MISSING else "bound" if before is _MISSING else "bound anew"
