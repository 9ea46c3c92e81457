"""What calls do, given what their names stand for. Shared by the notebook's flow and by functions' summaries."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace

from jupyter_pipelines.graph import knowledge
from jupyter_pipelines.graph.effects import analyse_text
from jupyter_pipelines.graph.events import (
    FRESH,
    LOCAL_MARK,
    Ambient,
    Augment,
    Bind,
    BindKind,
    Call,
    Change,
    ClassInfo,
    Command,
    Delete,
    Event,
    File,
    Flow,
    FunctionInfo,
    Identify,
    Read,
    Settle,
    StarImport,
    State,
    Suspend,
    TableUse,
    Tie,
    Unknowable,
    Use,
)
from jupyter_pipelines.graph.sql_cells import sql_events
from jupyter_pipelines.graph.summaries import Summary
from jupyter_pipelines.graph.values import IMMUTABLE_VALUE, NOTHING, Definition, Result, Value, in_order
from jupyter_pipelines.notebook.table_names import TableName, read_table_name

WAREHOUSE = "jupyter_pipelines.warehouse"  # the maker of what it gives, too


class Interpreter:
    """Goes through events. Subclasses say what names are and what happens to them."""

    def __init__(self) -> None:
        self.results: dict[Call, Result] = {}
        self.suspended: dict[str, int] = {}
        self.caches_are_asked = False  # whether the notebook looks at what cached functions remember
        self.searched: tuple[str, ...] = ()  # names that may be found where definitions are searched for
        self.maybe = False  # whether the event being looked at may not be executed

    # -- what subclasses provide ---------------------------------------------------------------------------------

    def lookup(self, name: str) -> Value | None:
        """What ``name`` stands for; ``None`` when nothing has bound it."""
        raise NotImplementedError

    def shares_of(self, name: str) -> dict[str, bool]:
        """The objects that ``name`` may share."""
        raise NotImplementedError

    def nested(self, name: str) -> tuple[FunctionInfo, ...]:
        """Functions local to the body being looked at that ``name`` may be."""
        return ()

    def read(self, event: Read) -> None: ...

    def bind(self, event: Bind, result: Result) -> None: ...

    def settle(self, event: Settle) -> None: ...

    def augment(self, event: Augment, result: Result) -> None: ...

    def delete(self, name: str, maybe: bool, line: int) -> None: ...

    def change(self, result: Result, certain: bool, line: int, stored: Result | None = None) -> None: ...

    def tie(self, names: Sequence[str]) -> None: ...

    def identify(self, result: Result) -> None: ...

    def star(self, event: StarImport) -> None: ...

    def starred(self) -> Sequence[str]:
        """The modules all of whose names are there."""
        return ()

    def unknowable(self, event: Unknowable) -> None: ...

    def ambient(self, line: int, what: str) -> None: ...

    def setting(self, event: Call, dotted: str) -> None:
        """A module's own state is set."""

    def attach(self, name: str, line: int) -> bool:
        """The statement adds to a definition; whether repeating the statement repeats that."""
        return False

    def anonymous(self, info: FunctionInfo) -> Definition | None:
        """What whoever holds this function needs, although it has no name to be replayed under."""
        return None

    def set_state(self, component: str, line: int) -> None: ...

    def draw(self, component: str | None, line: int, certain: bool) -> None:
        """``None``: from any generator."""

    def file(self, path: str | None, writes: bool, line: int, certain: bool = True) -> None: ...

    def _path_here(self, path: str | None) -> str | None:
        """``path`` as it is where the notebook's folder is the working directory; ``None`` where that is not known."""
        moved = self.suspended.get("cwd") and path is not None and not path.startswith("/")
        return None if moved else path

    def command(self, line: int) -> None: ...

    def table(self, name: TableName | None, use: Use, line: int, certain: bool = True, what: str = "") -> None:
        """SQL touches a table of the warehouse; see :class:`TableUse`."""

    def summarise(self, info: FunctionInfo) -> Summary:
        raise NotImplementedError

    def apply_globals(self, summary: Summary, line: int, certain: bool) -> None: ...

    def change_definition(self, definition: Definition, line: int) -> None:
        """A class or function itself is changed."""

    def function_changed(self, info: FunctionInfo, line: int) -> None:
        """A function's own memory is changed: a default, an attribute."""

    def is_seen_to_change(self, name: str) -> bool:
        """Whether a run has seen that the step changes what ``name`` stands for."""
        return False

    def keep_latent(self, name: str, latent: frozenset[Definition], line: int) -> None:
        """What ``name`` holds needs these definitions too, from here on."""

    # -- events --------------------------------------------------------------------------------------------------

    def run(self, events: Iterable[Event]) -> None:
        for event in events:
            self.maybe = event.maybe
            kind = type(event)
            if kind is Read:
                self.read(event)  # type: ignore[arg-type]  # mypy does not narrow by `type() is`
            elif kind is Call:
                self.results[event] = self.call(event)  # type: ignore[index,arg-type]  # as above
            else:
                self._other(event)

    def _other(self, event: Event) -> None:
        match event:
            case Bind():
                self.bind(event, self.resolve(event.flow))
            case Change():
                stored = self.resolve(event.stored) if event.stored is not None else None
                result = self.resolve(event.flow)
                self._change_remembered(result, event.line)
                self.changed(result, event.certain, event.line, stored)
            case Augment():
                self.augment(event, self.resolve(event.flow))
            case Settle():
                self.settle(event)
            case Delete():
                self.delete(event.name, event.maybe, event.line)
            case Tie():
                result = self.resolve(event.flow)
                if not result.value.immutable and not self._is_fresh(event.flow):
                    self.tie(event.names)
            case Identify():
                self.identify(self.resolve(event.flow))
            case Suspend():
                self.suspended[event.component] = self.suspended.get(event.component, 0) + (1 if event.on else -1)
            case StarImport():
                self.star(event)
            case Unknowable():
                self.unknowable(event)
            case Ambient():
                self.ambient(event.line, event.what)
            case State():
                self.state(event.component, event.line)
            case Command():
                self.command(event.line)
            case File():
                self.file(event.path, event.writes, event.line, not event.maybe)
            case TableUse():
                self.table(event.name, event.use, event.line, not event.maybe, event.what)

    def _is_fresh(self, flow: Flow) -> bool:
        """Unpacked from a call that is known to give things of their own, each."""
        calls = flow.calls
        return (
            bool(calls)
            and not flow.shares
            and all(call in self.results and self.results[call].value.separate for call in calls)
        )

    def resolve(self, flow: Flow) -> Result:
        """Where a value comes from and what is known of it, here and now."""
        if flow.immutable and not flow.shares:
            return Result(
                value=IMMUTABLE_VALUE if flow.constant is None else Value(immutable=True, constant=flow.constant)
            )
        shares: dict[str, bool] = {}
        latent: set[Definition] = set()
        functions: list[FunctionInfo] = []
        maker = ""
        if flow.function is not None:
            functions.append(flow.function)
        latent.update(definition for info in flow.lambdas if (definition := self.anonymous(info)) is not None)
        rooted = len(flow.shares) == 1 and not flow.calls and not flow.depth
        for name in flow.shares:
            functions += self.nested(name)
            value = self.lookup(name)
            if value is None:
                if name not in knowledge.BUILTINS:  # those nobody changes in place
                    own = self.shares_of(name)
                    shares.update(own if rooted else dict.fromkeys(own, False))
                continue
            maker = maker or value.maker
            latent |= value.latent
            if value.definition is not None and value.kind is not BindKind.MODULE:
                latent.add(value.definition)
            if value.kind is BindKind.VALUE and not value.immutable:
                own = self.shares_of(name)
                shares.update(own if rooted else dict.fromkeys(own, False))
        for call in flow.calls:
            result = self.results.get(call)
            if result is None:
                continue
            shares.update({key: shares.get(key, False) for key in result.shares})
            latent |= result.value.latent
            functions += result.functions
            maker = maker or result.value.maker
        known = self._known_of(flow)
        value = Value(
            immutable=flow.immutable or known.immutable,
            uncarriable=flow.uncarriable or known.uncarriable,
            constant=flow.constant if flow.constant is not None else known.constant,
            latent=frozenset(latent),
            maker=known.maker or maker,
            in_memory=known.in_memory,
            remembered=self._remembered(flow),
            method=flow.attributes[-1] if flow.attributes else known.method,
        )
        if flow.direct is not None and flow.direct in self.results:
            shares.update(self.results[flow.direct].shares)
        return Result(shares, value, flow.attributes, tuple(functions), flow.shares)

    def _remembered(self, flow: Flow) -> FunctionInfo | None:
        """The cached function that gave what ``flow`` is, or is inside of."""
        value: Value | None = None
        if flow.same is not None or (flow.attributes and len(flow.shares) == 1 and not flow.calls):
            value = self.lookup(flow.same or flow.shares[0])
        elif flow.direct is not None or (flow.attributes and len(flow.calls) == 1 and not flow.shares):
            result = self.results.get(flow.direct or flow.calls[0])
            value = result.value if result is not None else None
        return value.remembered if value is not None else None

    def _known_of(self, flow: Flow) -> Value:
        if flow.same is not None:
            return self.lookup(flow.same) or (IMMUTABLE_VALUE if flow.same in knowledge.BUILTINS else NOTHING)
        if flow.direct is not None and flow.direct in self.results:
            return self.results[flow.direct].value
        if (
            flow.calls
            and not flow.shares
            and not flow.depth
            and all(call in self.results and self.results[call].value.immutable for call in flow.calls)
        ):
            return IMMUTABLE_VALUE  # elements of range(...), of "a b".split() …
        return NOTHING

    # -- calls ---------------------------------------------------------------------------------------------------

    def call(self, event: Call) -> Result:
        arguments = [(argument.key, self.resolve(argument.flow)) for argument in event.arguments]
        root, attributes = event.root, event.attributes
        if attributes[-1:] == ("__subclasses__",):
            return self.search(event)
        if root is None:
            receiver = self.resolve(event.receiver)
            return (
                self.method(event, attributes[-1], receiver, arguments)
                if attributes
                else self.call_value(event, receiver, arguments)
            )
        value = self.lookup(root)
        nested = self.nested(root)
        if nested and not attributes:
            return self._merged([self.call_function(event, info, arguments, True) for info in nested])
        if value is None:
            if root in knowledge.BUILTINS and "@" not in root:
                dotted = ".".join(["builtins", root, *attributes])
                return (
                    self.builtin(event, root, arguments) if not attributes else self.library(event, dotted, arguments)
                )
            for module in self.starred():
                self._sets_state(event, ".".join([module, root, *attributes]))
            receiver = self.resolve(event.receiver)
            return (
                self.method(event, attributes[-1], receiver, arguments)
                if attributes
                else self.call_value(event, receiver, arguments)
            )
        if value.module:
            return self.library(event, ".".join([value.module, *attributes]), arguments)
        if value.function is not None and not attributes:
            return self.call_function(event, value.function, arguments, True)
        if value.cls is not None and value.definition is not None:
            if not attributes:
                return self.instantiate(event, value.cls, value.definition, arguments)
            info = self.find_method(value.cls, attributes[0])
            if info is not None and len(attributes) == 1:
                if info.kind == "classmethod":
                    arguments = [(-1, Result(value=replace(NOTHING, latent=frozenset({value.definition}))))] + arguments
                    arguments = [(key + 1 if isinstance(key, int) else key, result) for key, result in arguments]
                result = self.call_function(event, info, arguments, True)
                latent = result.value.latent | {value.definition}
                return Result(result.shares, replace(result.value, latent=latent), functions=result.functions)
        if value.function is not None and attributes[0] == "register" and self.attach(root, event.line):
            return Result()
        if value.function is not None and attributes[0] == "cache_clear" and not self.caches_are_asked:
            return Result()  # what it remembered is made anew as well
        if value.function is not None and attributes[0] in knowledge.FUNCTION_METHODS:
            self.function_changed(value.function, event.line)
        if value.is_definition and value.kind is not BindKind.VALUE:
            return self._unknown(event, Result(), arguments, "")  # `f.cache_clear()`, `C.make(...)` of a base
        receiver = self.resolve(event.receiver)
        return (
            self.method(event, attributes[-1], receiver, arguments)
            if attributes
            else self.call_value(event, receiver, arguments)
        )

    def _merged(self, results: Sequence[Result], immutable: bool = False) -> Result:
        shares: dict[str, bool] = {}
        latent: set[Definition] = set()
        functions: list[FunctionInfo] = []
        maker = ""
        for result in results:
            shares.update(dict.fromkeys(result.shares, False))
            latent |= result.value.latent
            functions += result.functions
            maker = maker or result.value.maker
        every = bool(results) and all(result.value.immutable for result in results)
        first = results[0].value if len(results) == 1 else NOTHING
        return Result(
            shares,
            Value(immutable=immutable or every, latent=frozenset(latent), maker=maker, uncarriable=first.uncarriable),
            functions=tuple(functions),
        )

    def _outcome(self, results: Sequence[Result], *, keeps: bool) -> Result:
        """What a call may return; unless it ``keeps`` functions it got, only what calling them returns."""
        merged = self._merged(results)
        if keeps:
            return merged
        latent: set[Definition] = set()
        for definition in merged.value.latent:
            functions = [
                bind.function
                for bind in definition.statement.events
                if isinstance(bind, Bind) and bind.function is not None and LOCAL_MARK not in bind.name
            ]
            if not functions:
                latent.add(definition)
            for info in functions:
                latent |= self.summarise(info).latent
        return Result(merged.shares, replace(merged.value, latent=frozenset(latent)))

    def builtin(self, event: Call, name: str, arguments: list[tuple[int | str, Result]]) -> Result:
        dotted = f"builtins.{name}"
        values = [result for _, result in arguments]
        if name == "open":
            mode = event.argument(1) or event.argument("mode")
            text = mode.constant if mode is not None else "r"
            writes = not isinstance(text, str) or any(letter in text for letter in "wax+")
            self.file(self._path(arguments, 0, "file"), writes, event.line)
        if name == "id":
            self.identify(self._merged(values))
        self._changes_arguments(event, dotted, arguments)
        self._calls_functions(event, arguments)
        if dotted in knowledge.UNCARRIABLE:
            merged = self._merged(values)
            return Result(
                merged.shares, replace(merged.value, immutable=False, uncarriable=knowledge.UNCARRIABLE[dotted][0])
            )
        if name in knowledge.IMMUTABLE_BUILTINS:
            return Result(value=IMMUTABLE_VALUE)
        merged = self._outcome(values, keeps=name in _CONTAINERS)
        return Result(
            merged.shares, replace(merged.value, immutable=False, uncarriable=None), functions=merged.functions
        )

    def _sets_state(self, event: Call, dotted: str) -> None:
        """Account for what is set in the process when this is called."""
        if dotted in knowledge.SETTERS:
            self.state(knowledge.SETTERS[dotted], event.line)
        if dotted in knowledge.SEEDING:
            self.set_state(knowledge.SEEDING[dotted], event.line)
        if dotted in knowledge.CONFIGURING:
            self.ambient(event.line, dotted)

    def library(self, event: Call, dotted: str, arguments: list[tuple[int | str, Result]]) -> Result:
        """A function of an imported module."""
        if dotted == WAREHOUSE:
            return Result(value=Value(maker=WAREHOUSE))
        self._sets_state(event, dotted)
        if dotted in knowledge.SEARCHING:
            self.search(event)
        if knowledge.leaves_in_duckdb(dotted, event.arguments[0].flow.constant if event.arguments else None):
            self.leave_in_module(dotted, event.line)
        if self._changes_stateful_object(dotted, event.line):
            return Result(value=NOTHING)
        if dotted not in knowledge.CONFIGURING and knowledge.is_setting(dotted):
            names = {name for _, result in arguments for name in result.shares}
            if names <= knowledge.BUILTINS or dotted.partition(".")[0] in sys.stdlib_module_names:
                self.setting(event, dotted)
            elif event.discarded:  # `nx.set_node_attributes(G, ...)`
                self.changed(arguments[0][1], False, event.line)
        if dotted in knowledge.IDENTIFYING:
            self.identify(self._merged([result for _, result in arguments]))
        self._library_files(event, dotted, arguments)
        careful = knowledge.is_careful(dotted)
        self._changes_arguments(event, dotted, arguments)
        if not careful:
            for _, result in arguments:
                self.changed(result, False, event.line)
        if dotted not in knowledge.CALLING_LATER:
            self._calls_functions(event, arguments)
        self._library_draws(event, dotted, arguments)
        package = dotted.partition(".")[0]
        if dotted in knowledge.UNCARRIABLE:
            kind = knowledge.UNCARRIABLE[dotted][0]
            return Result(value=Value(uncarriable=kind, maker=package, in_memory=_is_in_memory(dotted, event)))
        alone = not any(result.shares for _, result in arguments)
        if package in knowledge.IMMUTABLE_FUNCTION_PACKAGES or (alone and dotted in knowledge.IMMUTABLE_MAKERS):
            return Result(value=replace(IMMUTABLE_VALUE, maker=package))
        merged = self._outcome([result for _, result in arguments], keeps=_may_keep_functions(dotted))
        if knowledge.gives_new_object(dotted):
            return Result(value=Value(maker=package, separate=True, latent=merged.value.latent))
        return Result(
            merged.shares,
            replace(merged.value, immutable=False, uncarriable=None, maker=package),
            functions=merged.functions,
        )

    def _changes_stateful_object(self, dotted: str, line: int) -> bool:
        """``os.environ.update(...)``, ``sys.path.append(...)``."""
        owner, _, method = dotted.rpartition(".")
        component = knowledge.STATEFUL_OBJECTS.get(owner)
        if component is None:
            return False
        if knowledge.changes_receiver(method):
            self.state(component, line)
        return True

    def state(self, component: str, line: int) -> None:
        if not self.suspended.get(component):
            self.set_state(component, line)

    def _library_files(self, event: Call, dotted: str, arguments: list[tuple[int | str, Result]]) -> None:
        name = dotted.rpartition(".")[2]
        if dotted in knowledge.WRITING_FUNCTIONS:
            path = self._path(arguments, knowledge.WRITING_FUNCTIONS[dotted])
            self.file(knowledge.written_path(dotted, path), True, event.line)
            if dotted in {
                "shutil.copy",
                "shutil.copyfile",
                "shutil.move",
                "os.rename",
                "shutil.copytree",
                "os.replace",
            }:
                self.file(self._path(arguments, 0), dotted in {"shutil.move", "os.rename", "os.replace"}, event.line)
        elif dotted in knowledge.COMMAND_FUNCTIONS:
            self.command(event.line)
        elif dotted in knowledge.OPENING_FUNCTIONS:
            mode = event.argument(1) or event.argument("mode")
            text = mode.constant if mode is not None else knowledge.OPENING_FUNCTIONS[dotted]
            writes = not isinstance(text, str) or any(letter in text for letter in "wax+cn")
            self.file(self._path(arguments, 0), writes, event.line)
        elif (
            dotted in knowledge.READING_FUNCTIONS
            or (name.startswith("read_") and "." in dotted)
            or name.startswith("scan_")
        ):
            if not name.startswith("read_sql") and not dotted.startswith(
                ("pandas.read_clipboard", "polars.read_database")
            ):
                path = self._path(arguments, 0)
                if path is None or "://" not in path:
                    self.file(path, False, event.line)

    def _path(self, arguments: list[tuple[int | str, Result]], position: int, keyword: str = "") -> str | None:
        for key, result in arguments:
            if key == position or (keyword and key == keyword):
                return result.value.constant if isinstance(result.value.constant, str) else None
        return None

    def _changes_arguments(self, event: Call, dotted: str, arguments: list[tuple[int | str, Result]]) -> None:
        positions = knowledge.CHANGED_ARGUMENTS.get(dotted, ())
        if dotted.endswith(".at") and dotted.startswith("numpy."):
            positions = (0,)
        for key, result in arguments:
            if key in positions:
                stored = self._merged([other for _, other in arguments if other is not result])
                self.changed(result, True, event.line, stored)
            elif isinstance(key, str):
                self._changed_keyword(event, key, result)
            elif result.value.uncarriable in knowledge.STATEFUL_KINDS:
                self.changed(result, False, event.line)  # whoever gets an iterator or an open file moves it on
        for argument in event.arguments:
            if argument.key in knowledge.IN_PLACE_KEYWORDS and argument.flow.constant is not False:
                for key, result in arguments:
                    if isinstance(key, int):
                        self.changed(result, argument.flow.constant is True, event.line)

    def _changed_keyword(self, event: Call, key: str, result: Result) -> None:
        if key in knowledge.CHANGED_KEYWORDS:
            self.changed(result, key == "out", event.line)
        elif key in knowledge.GENERATOR_KEYWORDS or result.value.uncarriable in knowledge.STATEFUL_KINDS:
            self.changed(result, False, event.line)

    def _library_draws(self, event: Call, dotted: str, arguments: list[tuple[int | str, Result]]) -> None:
        package = dotted.partition(".")[0]
        if dotted in knowledge.SEEDING or dotted in knowledge.NOT_DRAWING:
            return
        if dotted.startswith("numpy.random."):
            self.draw("numpy.random", event.line, True)
        elif package == "random":
            self.draw("random", event.line, True)
        elif package == "torch":
            self.draw("torch.random", event.line, False)
        elif package in {"sklearn", "scipy", "statsmodels", "seaborn", "imblearn"}:
            if not _is_seeded(arguments) and not knowledge.never_draws(dotted):
                self.draw("numpy.random", event.line, False)
        elif package not in knowledge.NEVER_DRAWING:
            self.draw(None, event.line, False)

    def _calls_functions(self, event: Call, arguments: Sequence[tuple[int | str, Result]]) -> None:
        """Functions of the notebook that are handed over may be called there, with anything."""
        others = [(position, result) for position, (_, result) in enumerate(arguments)]
        for _, result in arguments:
            for info in self._functions_in(result):
                self.call_function(event, info, [("*", self._merged([other for _, other in others]))], False)

    def _functions_in(self, result: Result) -> list[FunctionInfo]:
        functions = list(result.functions)
        for definition in in_order(result.value.latent):
            functions += [
                bind.function
                for bind in definition.statement.events
                if isinstance(bind, Bind) and bind.function is not None and "@" not in bind.name
            ]
        return functions

    def call_value(self, event: Call, callee: Result, arguments: list[tuple[int | str, Result]]) -> Result:
        """A call of something that is not known to be a function: an instance, a partial, a function in a dict …"""
        for info in self._functions_in(callee):
            self.call_function(event, info, arguments, False)
        for cls in self._classes_in(callee):
            method = self.find_method(cls, "__call__")
            if method is not None:
                self.call_function(event, method, [(0, callee), *_shifted(arguments)], False)
        if callee.value.immutable and callee.value.maker in knowledge.MAKERS_OF_PURE_CALLABLES:
            return self._merged([result for _, result in arguments])  # a decorator that calls nothing, a getter
        if callee.value.method.isidentifier():
            return self.method(event, callee.value.method, callee, arguments)
        return self._unknown(event, callee, arguments, "")

    def _classes_in(self, result: Result) -> list[ClassInfo]:
        return [
            bind.cls
            for definition in in_order(result.value.latent)
            for bind in definition.statement.events
            if isinstance(bind, Bind) and bind.cls is not None and "@" not in bind.name
        ]

    def find_method(self, cls: ClassInfo, name: str) -> FunctionInfo | None:
        """The method of the class or of the first base of this notebook that has it."""
        seen: list[ClassInfo] = [cls]
        for current in seen:
            if name in current.methods:
                return current.methods[name]
            for base in current.bases:
                value = self.lookup(base)
                if value is not None and value.cls is not None and value.cls not in seen:
                    seen.append(value.cls)
        return None

    def method(self, event: Call, name: str, receiver: Result, arguments: list[tuple[int | str, Result]]) -> Result:
        """A method of a value."""
        found = [info for cls in self._classes_in(receiver) if (info := self.find_method(cls, name)) is not None]
        if found:
            given = [(0, receiver), *_shifted(arguments)]
            return self._merged(
                [
                    self.call_function(
                        event, info, arguments if info.kind == "staticmethod" else given, len(found) == 1
                    )
                    for info in found
                ]
                + [Result(value=replace(NOTHING, latent=receiver.value.latent))]
            )
        if receiver.value.maker == "logging" and name in knowledge.LOGGER_SETTINGS:  # loggers are found by their name
            self.setting(event, f"logging.{name}")
            return Result()
        if receiver.value.maker == WAREHOUSE:
            return self._warehouse(event, name)
        self._calls_functions(event, arguments)
        self._changes_arguments_of_method(event, name, receiver, arguments)
        if name in knowledge.PATH_CHANGES and receiver.value.maker == "pathlib":
            self.file(receiver.value.constant if isinstance(receiver.value.constant, str) else None, True, event.line)
            if name in {"rename", "replace"}:
                self.file(self._path(arguments, 0), True, event.line)
        elif name in knowledge.WRITING_METHODS:
            path = self._path(arguments, 0)
            if name in {"write_text", "write_bytes", "mkdir", "unlink", "rmdir", "touch"}:
                path = receiver.value.constant if isinstance(receiver.value.constant, str) else None
            if arguments or path or name.startswith("write_"):
                self.file(knowledge.written_path(name, path), True, event.line)
        elif name in knowledge.READING_METHODS or (
            name in knowledge.PATH_QUESTIONS and receiver.value.maker in {"pathlib", ""}
        ):
            self.file(receiver.value.constant if isinstance(receiver.value.constant, str) else None, False, event.line)
        if name == "open" and receiver.value.maker in {"pathlib", ""}:
            self.file(
                receiver.value.constant if isinstance(receiver.value.constant, str) else None, True, event.line, False
            )
        if name in knowledge.DRAWING_METHODS and not _is_seeded(arguments):
            self.draw("numpy.random", event.line, False)
        in_place = next(
            (argument.flow.constant for argument in event.arguments if argument.key in knowledge.IN_PLACE_KEYWORDS),
            False,
        )
        if in_place is not False:
            self.changed(receiver, in_place is True, event.line, self._merged([result for _, result in arguments]))
            return Result()
        receiver = Result(
            receiver.shares, receiver.value, (*receiver.attributes, "()"), receiver.functions, receiver.names
        )
        if receiver.value.uncarriable in knowledge.STATEFUL_KINDS:
            self.changed(receiver, True, event.line)
            if name in knowledge.READ_FROM_STREAMS:
                return Result(value=Value(immutable=name not in {"readlines", "recvmsg"}))
            merged = self._merged([receiver, *(result for _, result in arguments)])
            kind = receiver.value.uncarriable if name in knowledge.STILL_THE_STREAM else None
            return Result(merged.shares, replace(merged.value, immutable=False, uncarriable=kind))
        if name in knowledge.PLOTTING_METHODS:
            if receiver.value.maker not in {"pandas", "polars"}:
                self.changed(receiver, receiver.value.maker == "matplotlib", event.line)
            return Result(receiver.shares, Value(maker="matplotlib"))
        if knowledge.changes_receiver(name) or (name == "add" and event.discarded):  # of a set; a frame's gives a sum
            stored = self._merged([result for _, result in arguments]) if name in _STORING else None
            certain = name not in _SOMETIMES
            self._change_remembered(receiver, event.line)
            self.changed(receiver, certain, event.line, stored)
            if name in knowledge.FRESH_METHODS:
                return Result(value=Value(maker=receiver.value.maker))
            return self._merged([receiver, *([stored] if stored else [])])
        keeps = name in knowledge.LAZY_METHODS or name in {"get", "copy", "values", "items"}
        if name in knowledge.READONLY_METHODS and (receiver.value.immutable or name in knowledge.FRESH_METHODS):
            immutable = name in knowledge.IMMUTABLE_RESULTS or (
                receiver.value.immutable and name not in {"split", "groupby"}
            )
            latent = self._outcome([receiver, *(result for _, result in arguments)], keeps=keeps).value.latent
            return Result(value=Value(immutable=immutable, maker=receiver.value.maker, separate=True, latent=latent))
        if name in knowledge.READONLY_METHODS or receiver.value.immutable:
            merged = self._outcome([receiver, *(result for _, result in arguments)], keeps=keeps)
            return Result(merged.shares, replace(merged.value, uncarriable=None), functions=merged.functions)
        result = self._unknown(event, receiver, arguments, name)
        return Result(value=replace(result.value, immutable=False)) if name in knowledge.FETCHING else result

    def _warehouse(self, event: Call, name: str) -> Result:
        """A method of ``jp.warehouse()``: its SQL is read where it is written out."""
        text = (event.argument(0) or FRESH).constant
        table = read_table_name(text) if name == "table" and isinstance(text, str) else None
        if name == "sql" and isinstance(text, str):
            for touched in sql_events(text, event.line):
                self._other(touched)
        else:
            use = Use.READ if name in knowledge.READING_THE_WAREHOUSE else Use.WRITE
            self.table(table, use, event.line, table is not None and not event.maybe)
        form = (event.argument("form") or FRESH).constant
        return Result(value=Value(maker=str(form or "pyarrow")))

    def _changes_arguments_of_method(
        self, event: Call, name: str, receiver: Result, arguments: list[tuple[int | str, Result]]
    ) -> None:
        for key, result in arguments:
            if isinstance(key, str):
                self._changed_keyword(event, key, result)
            elif result.value.uncarriable in knowledge.STATEFUL_KINDS or (
                name == "to_sql" and result.value.uncarriable in knowledge.DATABASE_KINDS
            ):
                self.changed(result, False, event.line)
            elif name in {"shuffle", "permutation_"} and key == 0:
                self.changed(result, True, event.line)

    def _unknown(self, event: Call, receiver: Result, arguments: list[tuple[int | str, Result]], method: str) -> Result:
        """A call nothing is known about: whatever it gets it may change, and it may return any of it."""
        self.changed(receiver, False, event.line, self._merged([result for _, result in arguments]))
        for _, result in arguments:
            self.changed(result, False, event.line)
        if not method:
            self._calls_functions(event, arguments)
        if receiver.value.maker not in knowledge.NEVER_DRAWING:
            self.draw(None, event.line, False)
        merged = self._merged([receiver, *(result for _, result in arguments)])
        return Result(
            merged.shares, replace(merged.value, immutable=False, uncarriable=None), functions=merged.functions
        )

    def leave_in_module(self, dotted: str, line: int) -> None:
        """The call leaves in its module what no other process has."""

    def search(self, event: Call) -> Result:
        """The definitions of the notebook are searched for: any that is there may be found, and be called."""
        found = []
        for name in self.searched:
            self.run([Read(event.line, True, name, quiet=True)])
            if self.lookup(name) is not None:
                found.append(self.resolve(Flow(shares=(name,))))
        self._calls_functions(event, list(enumerate(found)))
        for cls in self._classes_in(self._merged(found)):
            for method in cls.methods.values():
                self.call_function(event, method, [], False)
        return self._merged(found)

    # -- functions of the notebook -------------------------------------------------------------------------------

    def call_function(
        self, event: Call, info: FunctionInfo, arguments: Sequence[tuple[int | str, Result]], certain: bool
    ) -> Result:
        """A function of the notebook is called: what its body does happens here."""
        summary = self.summarise(info)
        given = _match(info, arguments)
        for parameter, default in info.shared_defaults:
            if parameter not in given:
                given[parameter] = self.resolve(default)
        self.apply_globals(self._evaluate(event, summary), event.line, certain)
        for root, (sure, inner) in summary.changes.items():
            if root in given:
                target = given[root]
                stored = Result(value=replace(NOTHING, latent=frozenset(summary.stored.get(root, ()))))
                attributes = (*target.attributes, *inner)
                self.changed(
                    Result(target.shares, target.value, attributes, (), target.names),
                    sure and certain,
                    event.line,
                    stored,
                )
        for left, right in sorted(summary.ties):
            self._tie_results(given.get(left), given.get(right), left, right, event.line)
        shares: dict[str, bool] = {}
        latent = set(summary.latent)
        for root in sorted(summary.returned):
            if root in given:
                shares.update(dict.fromkeys(given[root].shares, False))
                latent |= given[root].value.latent
            elif "@" not in root and self.lookup(root) is not None:
                shares.update(dict.fromkeys(self.shares_of(root), False))
        kind = summary.uncarriable
        caches = not {"lru_cache", "cache"}.isdisjoint(info.decorators)
        remembers = caches and (info.speaks or self.caches_are_asked or self._leaves_more(summary))
        surely = {root for root, (sure, _) in summary.changes.items() if sure}  # else its end shows what was changed
        if remembers or any(root in info.mutable_defaults and root not in given for root in surely):
            self.function_changed(info, event.line)
        if info.generator and not info.decorated:
            kind = "a generator"
        elif info.coroutine:
            kind = None
        value = Value(
            immutable=summary.immutable and not info.decorated and not info.generator,
            uncarriable=kind,
            latent=frozenset(latent),
            maker=summary.maker,
            remembered=info if caches else None,
        )
        return Result(shares, value, functions=summary.functions)

    def _leaves_more(self, summary: Summary) -> bool:
        """Whether calling a function leaves more than its result, which it would not if it remembered that."""
        return (
            any(
                sure or self.is_seen_to_change(root)
                for root, (sure, _) in summary.changes.items()
                if LOCAL_MARK not in root
            )
            or any(sure for component, sure in summary.draws.items() if component is not None)
            or any(writes and sure for _, writes, sure in summary.files)
            or bool(summary.binds or summary.states or summary.command)
        )

    def _evaluate(self, event: Call, summary: Summary) -> Summary:
        """Texts given to a function that evaluates texts do what they say: ``show("df", "df.T")``."""
        texts = [argument.flow.constant for argument in event.arguments]
        if not texts or not any(evaluates for *_, evaluates in summary.unknowable):
            return summary
        effects = [analyse_text(text, event.line) if isinstance(text, str) else None for text in texts]
        if None in effects:
            return summary
        for events in effects:
            self.run(events or ())
        return replace(summary, unknowable=[entry for entry in summary.unknowable if not entry[-1]])

    def _tie_results(
        self, left: Result | None, right: Result | None, left_name: str, right_name: str, line: int
    ) -> None:
        names = []
        for result, name in ((left, left_name), (right, right_name)):
            if result is not None:
                names.append(list(result.shares))
            elif "@" not in name and self.lookup(name) is not None:
                names.append(list(self.shares_of(name)))
            else:
                names.append([])
        for first in names[0]:
            for second in names[1]:
                self.tie((first, second))
        if right is not None and right.value.latent:
            for name in names[0] or [left_name]:
                self.keep_latent(name, right.value.latent, line)

    def instantiate(
        self, event: Call, cls: ClassInfo, definition: Definition, arguments: list[tuple[int | str, Result]]
    ) -> Result:
        """An object of a class of the notebook is made; it may keep what it is given."""
        fresh = Result(value=replace(NOTHING, latent=frozenset({definition})))
        for name in ("__new__", "__init__", "__post_init__"):
            info = self.find_method(cls, name)
            if info is not None:
                self.call_function(event, info, [(0, fresh), *_shifted(arguments)], True)
        # Nobody calls `__repr__` and its like in so many words.
        unknowable = {entry for method in cls.methods.values() for entry in self.summarise(method).unknowable}
        if unknowable:
            summary = self._evaluate(event, Summary(unknowable=sorted(unknowable)))
            self.apply_globals(summary, event.line, False)
        self._calls_functions(event, arguments)
        merged = self._merged([result for _, result in arguments])
        latent = merged.value.latent | {definition}
        return Result(merged.shares, replace(merged.value, immutable=False, uncarriable=None, latent=latent))

    def changed(self, result: Result, certain: bool, line: int, stored: Result | None = None) -> None:
        """Something is changed in place; changes of what a class shares among its instances are told apart."""
        if result.value.immutable and not result.shares:
            return
        if result.value.maker == "decimal" and not knowledge.DECIMAL_SETTINGS.isdisjoint(result.attributes):
            self.state("decimal", line)
        if certain and result.attributes and self._reaches_class(result):
            for definition in in_order(result.value.latent):
                self.change_definition(definition, line)
        self.change(result, certain, line, stored)

    def _change_remembered(self, result: Result, line: int) -> None:
        """What a cached function has given is changed in place: it gives that when it is called again."""
        if result.value.remembered is not None:
            self.function_changed(result.value.remembered, line)

    def _reaches_class(self, result: Result) -> bool:
        first = result.attributes[0]
        if first == "__class__":
            return True
        return len(result.attributes) > 1 and any(first in cls.shared_attributes for cls in self._classes_in(result))


_STORING = frozenset(
    [
        "append",
        "extend",
        "insert",
        "update",
        "setdefault",
        "add",
        "appendleft",
        "extendleft",
        "put",
        "add_node",
        "add_edge",
        "set_params",
        "fit",
        "append_",
        "register",
    ]
)
_SOMETIMES = frozenset(
    [
        "sort",
        "update",
        "add",
        "register",
        "execute",
        "executemany",
        "cursor",
        "insert",
        "replace",
        "clear",
        "resize",
        "grid",
        "text",
    ]
)


_CONTAINERS = frozenset(
    {"list", "dict", "tuple", "set", "frozenset", "getattr", "next", "sorted", "iter", "zip", "object"}
)


def _may_keep_functions(dotted: str) -> bool:
    """Whether what a library's function returns may hold functions it was given: classes do, as a rule."""
    name = dotted.rpartition(".")[2]
    return (
        name[:1].isupper()
        or dotted.startswith("functools.")
        or name.startswith("make_")
        or name in {"vectorize", "deepcopy", "copy"}
    )


def _shifted(arguments: Sequence[tuple[int | str, Result]]) -> list[tuple[int | str, Result]]:
    return [(key + 1 if isinstance(key, int) else key, result) for key, result in arguments]


def _match(info: FunctionInfo, arguments: Sequence[tuple[int | str, Result]]) -> dict[str, Result]:
    """Which parameter gets which argument; what cannot be told goes to all of them."""
    given: dict[str, Result] = {}
    by_name = {name.partition("@")[0]: name for name in (*info.parameters, *info.keyword_only)}
    spread = [result for key, result in arguments if key in {"*", "**"}]
    for key, result in arguments:
        if isinstance(key, int) and key < len(info.parameters):
            given[info.parameters[key]] = result
        elif isinstance(key, str) and key in by_name:
            given[by_name[key]] = result
        elif key not in {"*", "**"}:
            for name in info.variadic:
                given[name] = _join(given.get(name), result)
    if spread:
        for name in (*info.parameters, *info.keyword_only, *info.variadic):
            if name not in given or name in info.variadic:
                for result in spread:
                    given[name] = _join(given.get(name), result)
    return given


def _join(left: Result | None, right: Result) -> Result:
    if left is None:
        return Result(dict.fromkeys(right.shares, False), right.value, right.attributes, right.functions)
    value = replace(left.value, latent=left.value.latent | right.value.latent, immutable=False)
    return Result(dict.fromkeys((*left.shares, *right.shares), False), value, (), left.functions + right.functions)


def _is_seeded(arguments: Sequence[tuple[int | str, Result]]) -> bool:
    return any(key in knowledge.GENERATOR_KEYWORDS for key, _ in arguments)


def _is_in_memory(dotted: str, event: Call) -> bool:
    """Whether a connection is to a database that only this process has."""
    if dotted not in {"sqlite3.connect", "duckdb.connect", "sqlalchemy.create_engine"}:
        return False
    first = event.argument(0) or event.argument("database")
    if first is None:
        return True
    text = first.constant
    return isinstance(text, str) and (
        text in {"", ":memory:", "sqlite://", "sqlite:///:memory:"} or text.startswith("duckdb:///:memory:")
    )
