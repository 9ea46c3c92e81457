"""The end of a step: what changed that must not have, what shares objects, and the container of the outputs."""

from __future__ import annotations

import types
from collections.abc import Collection
from typing import Any

from . import reading, rebuild, sharing, summary
from .arrays import Links
from .collecting import without_collecting
from .comparison import attributes_of, difference
from .container import Container, Group, write
from .digests import digest, digest_of
from .pickling import Pickled, ValuePickler, pickle_together, pickle_value
from .refusals import UncarriableError

Json = dict[str, Any]

TRUST_UP_TO = 1 << 22  # bytes of pickle up to which a class's own way of being pickled is tried out


class Saving:
    """What happens to the values of one step at its end."""

    def __init__(self, job: Json, user: dict[str, Any]) -> None:
        self._job = {**job, "read_later": frozenset(job["read_later"])}
        self._user = user
        self._definitions: Collection[str] | None = job["definitions"]
        self._pickled: dict[str, Pickled] = {}
        self._digests: dict[str, str] = {}
        self._buffers: dict[str, list[str]] = {}
        self._groups: list[tuple[str, ...]] = []
        self._state: Json = {}
        self._name = ""  # what is being pickled, for messages
        self.outputs = [name for name in job["outputs"] if name in user]
        self.unchanged: list[str] = []
        self.changed: list[str] = []
        self.aliases: list[list[str]] = []
        self.refusal: tuple[str, str, str] | None = None

    @without_collecting()
    def pickle_all(self) -> None:
        """Pickle the outputs and the inputs they may share objects with; raises :class:`UncarriableError`."""
        rebuild.take_stock({name: self._user[name] for name in self._job["replayed"] if name in self._user})
        for name in self.outputs:
            self._name = name
            self._pickled[name] = pickle_value(self._user[name], self._definitions)
        for name in (*self._job["guarded"], *self._job["setup_names"]):
            if name in self._user and name not in self._pickled:
                try:
                    self._pickled[name] = pickle_value(self._user[name], self._definitions)
                except UncarriableError:
                    if name in self._job["inputs"]:  # it could be pickled when it came
                        self._note_change(name, "can no longer be written")
        self._groups = sharing.groups(self._pickled)
        self.aliases = [list(group) for group in self._groups if len(group) > 1]

    @without_collecting()
    def check_inputs(self) -> None:
        """Compare the inputs with what was loaded."""
        for name in self._job["possibly_changed"]:
            if name in self._pickled and name in self._job["inputs"]:
                where = self._changed_where(name)
                (self.unchanged if where is None else self.changed).append(name)
        for name in self._job["guarded"]:
            if name not in self._job["inputs"]:
                continue
            if name not in self._user:
                self._note_change(name, "was deleted")
            elif name in self._pickled:
                where = self._changed_where(name)
                if where is not None:
                    self._note_change(name, f"was changed in place ({where})")

    def _note_change(self, name: str, what: str) -> None:
        if name not in self.changed:
            self.changed.append(name)
        if self.refusal is None and self._is_read_later(name):
            step = self._job["step"]
            self.refusal = (
                f"`{name}` {what} by step {step}, which nothing in its cells tells, and later steps read it",
                f"run it again: later steps will now take `{name}` from {step}; or change a copy of `{name}` here",
                name,
            )

    def _is_read_later(self, name: str) -> bool:
        """Whether a later step loads an input of this step, or what shares objects with it."""
        container = Container(self._job["objects"], self._job["inputs"][name]["container"])
        return not self._job["read_later"].isdisjoint(container.group(name)["names"])

    def _changed_where(self, name: str) -> str | None:
        carried = self._job["inputs"][name]
        if self._digest(name) == carried["digest"]:
            return None
        if isinstance(self._user[name], (type, types.FunctionType)):
            return f"attributes of {name}"  # what it was would be set on the one that there is
        before = Container(self._job["objects"], carried["container"]).load([name])[name]
        return difference(before, self._user[name], name)

    def _digest(self, name: str) -> str:
        if name not in self._digests:
            pickled = self._pickled[name]
            self._buffers[name] = [digest(buffer) for buffer in pickled.buffers]
            self._digests[name] = digest_of(pickled, self._buffers[name])
        return self._digests[name]

    def add_state(self, state: Json) -> None:
        """Add hidden state to what is written."""
        self._state = state

    @without_collecting()
    def write(self) -> Json:
        """Write the container; returns the ``outputs`` and ``state_outputs`` of the result."""
        groups: list[Group] = []
        values: dict[str, Json] = {}
        outputs: dict[str, Json] = {}
        for names in self._groups:
            members = tuple(name for name in names if name in self.outputs)
            if len(names) == 1 and names[0] in self.unchanged:
                outputs[names[0]] = self._job["inputs"][names[0]]  # as it came
                continue
            if members:
                groups.append(self._group(members))
                for name in members:
                    values[name] = self._describe(name, self._user[name], self._digest(name), self._pickled[name].size)
        for name, state in self._state.items():
            pickled = pickle_value(state)
            groups.append(Group((f"state:{name}",), pickled))
            values[f"state:{name}"] = self._describe(name, state, digest_of(pickled), pickled.size)
        if not groups:
            return {"outputs": outputs, "state_outputs": {}}
        address = write(self._job["objects"], groups, values)
        for value in values.values():
            value["container"] = address
        outputs.update((name, value) for name, value in values.items() if not name.startswith("state:"))
        return {"outputs": outputs, "state_outputs": {name: values[f"state:{name}"] for name in self._state}}

    def _group(self, names: tuple[str, ...]) -> Group:
        self._name = names[0]
        links = Links([array for name in names for array in self._pickled[name].arrays])
        if len(names) > 1:
            pickled = pickle_together({name: self._user[name] for name in names}, self._definitions, links)
        elif links:
            pickled = self._pickled[names[0]] = pickle_value(self._user[names[0]], self._definitions, links)
            self._digests.pop(names[0], None)
        else:
            pickled = self._pickled[names[0]]
        if pickled.distrusted and pickled.size <= TRUST_UP_TO:
            self._try_out(pickled, names)
        known = self._buffers.get(names[0]) if pickled is self._pickled[names[0]] else None
        return Group(names, pickled, known)

    def _try_out(self, pickled: Pickled, names: tuple[str, ...]) -> None:
        """Read a value back whose class pickles in its own way, and see whether it is the same."""
        buffers = [bytearray(buffer) for buffer in pickled.buffers]
        try:
            back = reading.loads(pickled.stream, buffers=buffers)
        except Exception as error:  # whatever the class's own unpickling raises
            where: str | None = f"{type(error).__name__}: {error}"
        else:
            values = {name: self._user[name] for name in names}
            where = difference(values if len(names) > 1 else values[names[0]], back, "" if len(names) > 1 else names[0])
        if where is not None:
            culprit = pickled.distrusted[0]
            raise UncarriableError(
                culprit,
                f"of a class whose own __getstate__ or __reduce__ does not give the same back ({where})",
                "let these methods keep everything, or hand over what they would need to make it again",
            )

    def _describe(self, name: str, value: object, value_digest: str, size: int) -> Json:
        return {
            "name": name,
            "type": summary.type_name(value),
            "size": size,
            "digest": value_digest,
            "summary": summary.summarize(value),
        }

    def explain(self, error: UncarriableError) -> tuple[str, str, str]:
        """Message, fix and variable for an output that cannot be carried."""
        name = self._name
        value = self._user.get(name)
        own = summary.type_name(value)
        what = f"step {self._job['step']} cannot hand over `{name}` ({own})"
        fix = error.fix
        if name in self._job["setup_names"]:  # which is where others are told to make it
            fix = f"setup makes `{name}` anew in every step: change it there, or in the one step that uses it"
        if error.culprit is value:
            return f"{what}: it is {error.why}", fix, name
        where = path_to(value, error.culprit)
        place = f"`{name}{where}`" if where else "something inside it"
        return f"{what}: {place} ({summary.type_name(error.culprit)}) is {error.why}", fix, name


def path_to(value: object, culprit: object, limit: int = 20_000) -> str:
    """How to get from a value to an object inside it, as source: ``.model.steps[0]``; empty when it is not found."""
    seen = {id(value)}
    queue: list[tuple[str, object]] = [("", value)]
    while queue and len(seen) < limit:
        path, held = queue.pop(0)
        if held is culprit:
            return path
        inner: list[tuple[str, object]] = []
        if isinstance(held, dict):
            inner = [(f"{path}[{key!r}]", item) for key, item in held.items()]
        elif isinstance(held, (list, tuple, set, frozenset)):
            inner = [(f"{path}[{place}]", item) for place, item in enumerate(held)]
        elif not isinstance(held, (type, types.ModuleType)):
            inner = [(f"{path}.{name}", item) for name, item in (attributes_of(held) or {}).items()]
        for step, item in inner:
            if id(item) not in seen:
                seen.add(id(item))
                queue.append((step, item))
    return ""


# Digests that are the same in every kernel


_DETERMINATE = {
    "builtins", "datetime", "decimal", "fractions", "pathlib", "collections", "uuid", "numpy", "pandas", "polars",
    "pyarrow", "types", "re", "zoneinfo", "dateutil", "pytz", "sklearn", "scipy", "copyreg", "enum", "random",
    "__main__", "_jupyter_pipelines_kernel", "array", "functools", "operator", "string",
}  # fmt: skip


class _StablePickler(ValuePickler):
    """Writes sets in an order of their contents and functions by their code; refuses what it does not know."""

    def persistent_id(self, value: Any) -> Any:
        kind = type(value)
        if kind is set or kind is frozenset:
            return kind.__name__, sorted(_stable_digest(item, self.definitions) for item in value)
        return None

    def reducer_override(self, value: Any) -> Any:
        kind = type(value)
        if (
            not isinstance(value, (types.FunctionType, type))
            and str(kind.__module__).partition(".")[0] not in _DETERMINATE
        ):
            raise UncarriableError(value, "not known to be written the same in every kernel", "")
        return super().reducer_override(value)


def _stable_digest(value: object, definitions: Collection[str] | None) -> str:
    return digest_of(_StablePickler(definitions).dump_all(value))


def fresh_digest(value: object, definitions: Collection[str] | None) -> str | None:
    """The digest of a value that two kernels would agree on; ``None`` when there is none."""
    if isinstance(value, (types.FunctionType, types.ModuleType, type)):
        return None
    try:
        return _stable_digest(value, definitions)
    except UncarriableError:
        return None
