"""Whether functions and classes are still what their statements make them, which is what other steps will have.

A class may be changed from outside, count its instances or keep a registry; a function may have attributes, a closure
with a memory, default arguments that collect. What belongs to a definition is taken down when it has just been made,
and looked at again later: by identity, and containers by what they hold. Objects of libraries are not looked into, and
caches may fill.
"""

from __future__ import annotations

import abc
import ast
import builtins
import collections
import contextlib
import enum
import functools
import itertools
import operator
import random
import re
import sys
import types
from collections.abc import Collection, Iterable
from typing import Any

from .comparison import attributes_of, is_cache

MOST = 2_000  # parts of one definition that are looked at
LONG = 100  # from this many items on, a container's are not looked into

_HOOK = "_jupyter_pipelines_defined"
_CACHE_NAME = re.compile(r"cache|memo", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d]\w*")
_PLAIN = (int, float, complex, str, bytes, bool, type(None))
_CONTAINERS = (dict, list, set, tuple, frozenset, collections.deque)
Parts = dict[str, Any]  # by path: what is there, kept alive so that its identity stays its own


class Definitions:
    """The definitions of the notebook that other steps rely on, as they were made.

    ``repeated`` are statements that later steps execute again: what these do to a definition is no change.
    """

    def __init__(self, user: dict[str, Any], names: Collection[str], repeated: Iterable[str]) -> None:
        self._user = user
        self._made: dict[str, tuple[object, Parts]] = {}
        self._changed: dict[str, str] = {}
        self._transformer = _Marking(names, repeated)
        for name in names:
            if name in user and _is_definition(user[name]):
                self._take_down(name, user[name])

    def start(self, shell: Any) -> None:
        """Take down what cells define from here on, right behind the statement."""
        setattr(builtins, _HOOK, self._hook)
        shell.ast_transformers.append(self._transformer)

    def stop(self, shell: Any) -> None:
        """Undo :meth:`start`."""
        if self._transformer in shell.ast_transformers:
            shell.ast_transformers.remove(self._transformer)

    def changed(self) -> dict[str, str]:
        """The names whose definitions have changed, and where."""
        for name in self._made:
            self._compare(name)
        return self._changed

    def _compare(self, name: str) -> None:
        made, parts = self._made[name]
        if name not in self._changed and self._user.get(name) is made:
            where = difference(parts, parts_of(name, made))
            if where is not None:
                self._changed[name] = where.partition(" (")[0]

    def _take_down(self, name: str, made: object) -> None:
        self._made[name] = made, parts_of(name, made)
        self._changed.pop(name, None)

    def _hook(self, moment: str, *names: str) -> Any:
        """What marked cells call: as a decorator (``made``), and ``before`` and ``after`` a repeated statement."""
        if moment == "made":
            return functools.partial(self._is_made, names[0])
        for name in names:
            if name in self._made:
                if moment == "before":
                    self._compare(name)
                elif name not in self._changed:
                    self._take_down(name, self._made[name][0])
        return None

    def _is_made(self, name: str, made: Any) -> Any:
        self._take_down(name, made)
        return made


class _Marking(ast.NodeTransformer):
    """Has a cell tell when it defines one of ``names`` or runs a repeated statement, without moving its lines."""

    def __init__(self, names: Collection[str], repeated: Iterable[str]) -> None:
        self._names = names
        self._repeated: dict[str, list[str]] = {}
        for source in repeated:
            touched = sorted(set(_WORD.findall(source)) & set(names))
            with contextlib.suppress(SyntaxError):
                for node in ast.parse(source).body if touched else ():
                    self._repeated[ast.dump(node)] = touched

    def visit_Module(self, node: ast.Module) -> ast.Module:
        body: list[ast.stmt] = []
        for statement in node.body:
            touched = self._repeated.get(ast.dump(statement)) if self._repeated else None
            own = getattr(statement, "name", None)
            others = [name for name in touched or () if name != own]
            marked = self.visit(statement)
            if not others:
                body.append(marked)
            elif isinstance(marked, ast.Expr):  # what it gives may be shown
                parts = [_call("before", others), marked.value, _call("after", others)]
                value = ast.Subscript(ast.Tuple(parts, ast.Load()), ast.Constant(1), ast.Load())
                marked.value = _placed(value, marked)
                body.append(marked)
            else:
                body += [_placed(ast.Expr(_call("before", others)), marked), marked]
                body.append(_placed(ast.Expr(_call("after", others)), marked))
        node.body = body
        return node

    def _mark(self, node: Any) -> Any:
        if node.name in self._names:
            place = node.decorator_list[0] if node.decorator_list else node
            node.decorator_list.insert(0, _placed(_call("made", [node.name]), place))
        return node  # what is inside of it is its own

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = _mark

    def visit_Expr(self, node: ast.Expr) -> ast.Expr:
        return node


def _call(moment: str, names: Iterable[str]) -> ast.expr:
    return ast.Call(ast.Name(_HOOK, ast.Load()), [ast.Constant(moment), *map(ast.Constant, names)], [])


def _placed(made: Any, place: ast.AST) -> Any:
    """A new node where ``place`` is."""
    for part in ast.walk(made):
        if "lineno" in part._attributes and not hasattr(part, "lineno"):
            ast.copy_location(part, place)
    return made


def _is_definition(value: object) -> bool:
    return isinstance(value, (types.FunctionType, functools.partial)) or is_of_notebook(value)


def is_of_notebook(value: object) -> bool:
    """Whether a value is a class of the notebook, or an instance of one, or wraps a function of it."""
    kind = value if isinstance(value, type) else type(value)
    if kind.__module__ == "__main__":
        return True
    wrapped = None if isinstance(value, type) else _attribute(value, "__wrapped__")
    return isinstance(wrapped, types.FunctionType) and wrapped.__module__ == "__main__"


def _attribute(value: object, name: str) -> Any:
    """An attribute, or ``None``; objects that make theirs when asked may raise anything."""
    try:
        return getattr(value, name, None)
    except Exception:
        return None


def parts_of(name: str, value: object, module: str = "__main__") -> Parts:
    """What belongs to a definition or value, by path; instances of the classes of ``module`` are looked into."""
    found: Parts = {}
    seen: set[int] = set()
    queue: collections.deque[tuple[str, str, Any]] = collections.deque([(name, name, value)])
    while queue and len(found) < MOST:
        path, label, held = queue.popleft()
        if id(held) in seen and not isinstance(held, _PLAIN):
            found[path] = held
            continue
        seen.add(id(held))
        if isinstance(held, dict) and _CACHE_NAME.search(label):
            found[path] = _Filling(held)
            continue
        found[path] = _token(held)
        queue.extend((f"{path}{step}", step, inner) for step, inner in _insides(held, module))
    return found


class _Filling:
    """A cache: what is in it stays, and more may come."""

    def __init__(self, held: dict[Any, Any]) -> None:
        self.entries = dict(held)


def _token(held: Any) -> Any:
    """What stands for an object: itself, unless its own state can be had in short."""
    if isinstance(held, itertools.count):
        return _Written(repr(held))
    if isinstance(held, _ITERATORS):
        return _Written(f"{operator.length_hint(held)} more")
    if isinstance(held, random.Random):
        return _Written(repr(hash(held.getstate())))
    numpy = sys.modules.get("numpy")
    if numpy is not None and type(held) is getattr(numpy, "ndarray", None) and held.nbytes < 1 << 20:
        return _Written(f"{id(held)} {held.dtype} {held.shape} {hash(held.tobytes())}")
    return held


class _Written:
    def __init__(self, text: str) -> None:
        self.text = text


_ITERABLE: tuple[Any, ...] = ([], (), range(0), {}, set(), "")
_ITERATORS: tuple[Any, ...] = tuple(type(iter(held)) for held in _ITERABLE)


def _insides(held: Any, module: str) -> Iterable[tuple[str, Any]]:
    if isinstance(held, type):
        return _of_class(held) if held.__module__ == "__main__" else ()
    if isinstance(held, types.FunctionType):
        return _of_function(held) if held.__globals__ is sys.modules["__main__"].__dict__ else ()
    if isinstance(held, (classmethod, staticmethod)):
        return [("", held.__func__)]
    if isinstance(held, property):
        return [(".fget", held.fget), (".fset", held.fset)]
    if isinstance(held, functools.partial):
        return [(".func", held.func), (".args", held.args), (".keywords", held.keywords)]
    if isinstance(held, _CONTAINERS):
        return _of_container(held)
    if isinstance(held, types.MethodType):
        return [(".__self__", held.__self__)]
    wrapped = getattr(held, "__wrapped__", None) if type(held).__name__ == "_lru_cache_wrapper" else None
    if wrapped is not None:
        return [(".__wrapped__", wrapped)]
    if type(held).__module__ in ("__main__", module) and not isinstance(held, enum.Enum):
        own = attributes_of(held) or {}
        return [(f".{name}", value) for name, value in own.items() if not is_cache(type(held), name)]
    return ()


def _of_class(held: type) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = [
        ("", base) for base in (*held.__bases__, type(held)) if base.__module__ == "__main__"
    ]
    if isinstance(held, enum.EnumMeta):
        members: dict[str, Any] = dict(held.__members__)
        return [*found, *((f".{name}", member) for name, member in members.items())]
    ours = type(held) in (type, abc.ABCMeta) or type(held).__module__ in ("__main__", "typing")
    for name, value in vars(held).items():
        if name.startswith("_abc_") or isinstance(value, _DESCRIPTORS):
            continue
        if name.startswith("__") and name.endswith("__") and not isinstance(value, _FUNCTIONS):
            continue  # Python's own, some of it filled when it is first asked for
        if ours or isinstance(value, types.FunctionType):
            found.append((f".{name}", value))
    tables = _attribute(_attribute(held, "metadata"), "tables")  # of SQLAlchemy
    if isinstance(tables, dict):
        found.append((".metadata.tables", tuple(tables)))
    if isinstance(held, abc.ABCMeta):
        found.append((".register", _registered(held)))
    return found


_FUNCTIONS = (types.FunctionType, classmethod, staticmethod, property)
_DESCRIPTORS = (types.MemberDescriptorType, types.GetSetDescriptorType, functools.cached_property)


def _registered(held: Any) -> Any:
    dump = getattr(sys.modules.get("_abc"), "_get_dump", None)
    if dump is None:
        return ()
    kinds = [reference() for reference in dump(held)[0]]
    return tuple(sorted((kind for kind in kinds if kind is not None), key=id))


def _of_function(held: types.FunctionType) -> Iterable[tuple[str, Any]]:
    yield ".__code__", held.__code__
    yield from ((f".{name}", value) for name, value in held.__dict__.items())
    names = held.__code__.co_varnames[: held.__code__.co_argcount]
    defaults = held.__defaults__ or ()
    yield from zip((f"({name}=)" for name in names[len(names) - len(defaults) :]), defaults)
    yield from ((f"({name}=)", value) for name, value in (held.__kwdefaults__ or {}).items())
    for name, cell in zip(held.__code__.co_freevars, held.__closure__ or ()):
        try:
            yield f", variable {name}", cell.cell_contents
        except ValueError:
            yield f", variable {name}", None


def _of_container(held: Any) -> Iterable[tuple[str, Any]]:
    if isinstance(held, dict):
        items = list(dict.items(held))
        if len(items) < LONG:
            keys = [(" (keys)", tuple(key for key, _ in items))]
            return [*keys, *((f"[{_name_of(key)}]", value) for key, value in items)]
        return [(" (items)", tuple(items))]
    items = list(held)
    if len(items) < LONG and not isinstance(held, (set, frozenset)):
        return [(" (length)", len(items)), *((f"[{place}]", value) for place, value in enumerate(items))]
    return [(" (items)", tuple(items))]


def _name_of(key: Any) -> str:
    return repr(key) if type(key) in _PLAIN else f"{type(key).__name__} {id(key)}"


def difference(before: Parts, after: Parts) -> str | None:
    """The first path where the two differ."""
    for path, held in before.items():
        if path not in after:
            return path
        if not _is_same(held, after[path]):
            return path
    return next((path for path in after if path not in before), None)


def _is_same(before: Any, after: Any) -> bool:
    if before is after:
        return True
    if type(before) is not type(after):
        return False
    if isinstance(before, _Filling):
        return all(after.entries.get(key, before) is value for key, value in before.entries.items())
    if isinstance(before, _Written):
        return bool(before.text == after.text)
    if isinstance(before, tuple):
        return len(before) == len(after) and all(map(_is_same, before, after))
    return type(before) in _PLAIN and repr(before) == repr(after)
