"""Findings about the graph, with their codes, words and fixes in one place.

=========  ========  ===========================================================================
code       severity  about
=========  ========  ===========================================================================
``JP301``  error     a name that nothing defines (warning where it may never be looked up)
``JP302``  error     a name that only later cells define
``JP303``  error     a name that only ``skip`` cells define or change
``JP304``  error     a name that was deleted before
``JP305``  warning   ``from x import *`` (and magics like it): names it brings are unknown
``JP306``  error     something whose names cannot be known: built ``exec``, ``globals()``, ``%who`` …
``JP307``  error     IPython's history (``_``, ``Out[3]``, ``In``) of another step
``JP310``  error     a cycle
``JP311``  error     a step in several pieces whose pieces need different versions of a name
``JP312``  error     a step needs a value that another step goes on changing later
``JP320``  error     setup reads what only a step makes
``JP321``  error     setup changes what an earlier step has already used
``JP330``  error     a definition that cannot be replayed truthfully
``JP331``  error     a value made with a class or function that was redefined since
``JP332``  warning   configuration of the kernel inside a step that cannot be repeated in later steps
``JP333``  error     a module's own state, set by an earlier step in a way that cannot be repeated
``JP340``  info      another language than Python: notebook order, nothing inferred
``JP341``  error     an ``after:`` that names no step
``JP350``  warning   SQL that is not understood: it keeps its place among all that touches tables
``JP351``  error     setup writes a table, or reads one that a step writes
``JP352``  error     a temporary table of another step's connection
``JP353``  error     what a step sets for its connection, a transaction it leaves open (warning: settings)
``JP354``  error     a ``%%sql`` cell whose statements do not give what its line asks for
``JP355``  error     parameters without a name
``JP356``  error     a table that only ``skip`` cells make
``JP357``  error     a view whose text would hold the value of a secret parameter
``JP358``  error     a write into an external source, or a view of one
``JP401``  error     a value that cannot be carried to another step
``JP402``  error     something setup makes anew in every step, although steps leave things in it
``JP403``  error     a step writes to a database and does not commit what later steps read
``JP404``  error     setup opens a file for writing, again in every step
=========  ========  ===========================================================================
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from jupyter_pipelines.diagnostics import Diagnostic, Location, Severity
from jupyter_pipelines.graph.events import CellEffects
from jupyter_pipelines.graph.knowledge import STATEFUL_KINDS
from jupyter_pipelines.graph.model import Remedy
from jupyter_pipelines.graph.values import Definition, Value, Version
from jupyter_pipelines.notebook.model import NotebookDocument, Role
from jupyter_pipelines.notebook.table_names import TableName

if TYPE_CHECKING:
    from jupyter_pipelines.graph.facts import TableFact


class Reporter:
    """Collects findings, each once."""

    def __init__(self, document: NotebookDocument, effects: Mapping[int, CellEffects] = MappingProxyType({})) -> None:
        self.document, self.effects = document, effects
        self.found: dict[tuple[object, ...], Diagnostic] = {}
        self.remedies: dict[Diagnostic, tuple[Remedy, ...]] = {}
        self.skipped: dict[str, int] = {}  # names that skip cells bind, and where

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        severities = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}
        return tuple(
            sorted(
                self.found.values(),
                key=lambda finding: (finding.location or Location(0, 0), severities[finding.severity], finding.code),
            )
        )

    def add(
        self,
        code: str,
        severity: Severity,
        message: str,
        fix: str,
        place: Location | None,
        about: str,
        step: str | None = None,
        remedies: tuple[Remedy, ...] = (),
    ) -> None:
        """Note a finding; ``about`` and its place tell it from others with the same code."""
        key = (code, about, place.cell if place else 0, step)
        if key in self.found:
            return
        first_line = ""
        if place is not None:
            cell = self.document.cell(place.cell)
            first_line, step = cell.first_line, step or cell.step
        self.found[key] = Diagnostic(code, severity, message, fix, place, first_line, step)
        if remedies:
            self.remedies[self.found[key]] = remedies

    def error(
        self,
        code: str,
        message: str,
        fix: str,
        place: Location | None,
        about: str,
        step: str | None = None,
        remedies: tuple[Remedy, ...] = (),
    ) -> None:
        self.add(code, Severity.ERROR, message, fix, place, about, step, remedies)

    def _by(self, version: Version) -> str:
        owner = f"step {version.step}" if version.step is not None else "setup"
        return f"{owner} ({version.location})"

    # -- names ---------------------------------------------------------------------------------------------------

    def undefined_name(self, name: str, place: Location, maybe: bool) -> None:
        bound_in = next((index for index, effect in self.effects.items() if name in effect.bound), None)
        severity = Severity.WARNING if maybe else Severity.ERROR
        if bound_in is not None and bound_in + 1 > place.cell:
            message = f"`{name}` is read here, but the first cell that defines it is cell {bound_in + 1}"
            fix = f"move the definition of `{name}` above cell {place.cell}"
            if not maybe:
                remedy = Remedy("setup", bound_in + 1, name=name)
                self.add("JP302", severity, message, fix, place, name, remedies=(remedy,))
            return
        if bound_in is not None and bound_in + 1 == place.cell:
            if not maybe:
                message = f"`{name}` is read before this cell defines it"
                self.add("JP302", severity, message, f"define `{name}` first", place, name)
            return
        if name in self.skipped and not self._is_injected(self.skipped[name]):
            cell = self.skipped[name] + 1
            message = f"`{name}` is defined by cell {cell} only, which is tagged `skip` and never runs in a pipeline"
            fix = f"remove the `skip` tag of cell {cell}, or define `{name}` elsewhere"
            self.add("JP303", severity, message, fix, place, name, remedies=(Remedy("no-skip", cell),))
            return
        fix = f"define or import `{name}` before it is used"
        if name in {"interval_start", "interval_end"}:
            fix = f"declare `{name}` in the parameters cell: a backfill or schedule gives it the window's bound"
        remedies = () if maybe else (Remedy("define", name=name),)
        self.add("JP301", severity, f"nothing defines `{name}`", fix, place, name, remedies=remedies)

    def deleted_name(self, name: str, place: Location, deleted: Location, maybe: bool) -> None:
        severity = Severity.WARNING if maybe else Severity.ERROR
        message = f"`{name}` is read here, but {deleted} deleted it"
        self.add("JP304", severity, message, f"remove `del {name}`, or define `{name}` again", place, name)

    def star_import(self, module: str, place: Location, in_setup: bool, replayable: bool) -> None:
        what = f"`{module}`" if module.startswith("%") else f"`from {module} import *`"
        message = f"which names {what} brings is not known; names that nothing else defines are taken from it"
        if not in_setup and not replayable:
            fix = "tag its cell `setup`"
            message += ", and later steps cannot repeat it"
            self.error("JP305", message, fix, place, module, remedies=(Remedy("setup", place.cell),))
            return
        self.add("JP305", Severity.WARNING, message, "import the names that are used", place, module)

    def unknowable(self, what: str, fix: str, place: Location, marked: bool) -> None:
        severity = Severity.WARNING if marked else Severity.ERROR
        self.add("JP306", severity, f"{what}: which names it reads and writes cannot be known", fix, place, what)

    def history(self, name: str, place: Location) -> None:
        message = f"`{name}` is IPython's history, and every step starts with an empty one"
        self.error("JP307", message, "give the value a name of its own", place, name)

    # -- order ---------------------------------------------------------------------------------------------------

    def read_after_own(self, step: str, version: Version, place: Location) -> None:
        message = (
            f"step {step} has its own `{version.name}` in an earlier cell and reads here what {self._by(version)} made "
            f"of it in between: one step runs without a break"
        )
        fix = f"give this part of {step} a name of its own (`step:{step}-2`), or use another variable"
        remedy = Remedy("own-step", place.cell, (step,))
        self.error("JP311", message, fix, place, version.name, step, (remedy,))

    def two_versions(self, step: str, name: str, versions: Sequence[Version], place: Location) -> None:
        makers = " and ".join(self._by(version) for version in versions[:2])
        message = f"step {step} needs `{name}` in two versions, by {makers}: it starts with one of them only"
        fix = f"give this part of {step} a name of its own (`step:{step}-2`)"
        remedy = Remedy("own-step", place.cell, (step,))
        self.error("JP311", message, fix, place, name, step, (remedy,))

    def changed_later(self, step: str, version: Version, final: Version | None, place: Location) -> None:
        later = f"{final.location} changes it again" if final is not None else "a later cell deletes it"
        message = (
            f"step {step} needs `{version.name}` as {version.location} left it, but {later}, and a step passes its "
            f"values on when it has ended"
        )
        fix = f"give the later cells of step {version.step} a step name of their own"
        remedies: tuple[Remedy, ...] = ()
        if final is not None and version.step is not None:
            remedies = (Remedy("own-step", final.location.cell, (version.step,)),)
        self.error("JP312", message, fix, place, version.name, step, remedies)

    def cycle(self, steps: Sequence[str], reasons: Sequence[str]) -> None:
        path = " → ".join([*steps, steps[0]])
        message = f"steps wait for each other: {path}. " + "; ".join(reasons)
        fix = f"give the pieces of {steps[0]} that need each other's steps names of their own, or remove an `after:`"
        remedy = Remedy("one-step", steps=tuple(steps))
        self.error("JP310", message, fix, self._beginning(steps[0]), path, steps[0], (remedy,))

    def unknown_after(self, step: str, name: str) -> None:
        known = ", ".join(self.document.steps)
        message = f"step {step} runs after `{name}`, which is no step"
        self.error("JP341", message, f"use one of: {known}", self._beginning(step), name, step)

    def _beginning(self, step: str) -> Location | None:
        return next((Location(cell.number) for cell in self.document.cells if cell.step == step), None)

    # -- setup and skip ------------------------------------------------------------------------------------------

    def setup_reads_step(self, version: Version, place: Location) -> None:
        message = (
            f"setup reads `{version.name}`, which step {version.step} makes at {version.location}: setup runs at the "
            f"start of every step"
        )
        fix = f"make this cell a step, or tag cell {version.location.cell} `setup`"
        remedies = (Remedy("setup", version.location.cell, name=version.name), Remedy("no-setup", place.cell))
        self.error("JP320", message, fix, place, version.name, remedies=remedies)

    def late_setup(self, name: str, place: Location, used: Location) -> None:
        message = (
            f"setup gives `{name}` a new value here, but {used} uses it before, and setup runs first in every step"
        )
        fix = "make this cell a step, or use another name"
        self.error("JP321", message, fix, place, name, remedies=(Remedy("no-setup", place.cell),))

    def skip_changes(self, name: str, skip: Location, place: Location, step: str | None) -> None:
        if self._is_injected(skip.cell - 1):
            message = (
                f"cell {skip.cell} has what an earlier execution was given for `{name}`, which is read here: it is not "
                f"run in a pipeline, but by Restart & Run All"
            )
            fix = f"delete cell {skip.cell}: parameters are given anew for each run"
            self.error("JP303", message, fix, place, name, step)
            return
        message = (
            f"cell {skip.cell} is tagged `skip` but changes `{name}`, which is read here: a pipeline would not see it"
        )
        fix = f"remove the `skip` tag of cell {skip.cell}, or the change"
        self.error("JP303", message, fix, place, name, step, (Remedy("no-skip", skip.cell),))

    def _is_injected(self, index: int) -> bool:
        return any(one.code == "JP138" and one.location == Location(index + 1) for one in self.document.diagnostics)

    # -- definitions ---------------------------------------------------------------------------------------------

    def broken_definition(self, step: str, version: Version, place: Location) -> None:
        message = f"step {step} needs `{version.name}`, which cannot be executed again as it was: {_why(version.value)}"
        fix = f"define `{version.name}` in a cell of its own or in setup, and keep what changes in a variable"
        remedy = Remedy("setup", version.location.cell, name=version.name)
        self.error("JP330", message, fix, place, version.name, step, (remedy,))

    def mixed_definition(self, step: str, version: Version, place: Location) -> None:
        message = f"`{version.name}` is a definition in one branch and a value in another; step {step} could get either"
        self.error(
            "JP330", message, f"use different names, or define `{version.name}` in setup", place, version.name, step
        )

    def stale_definition(self, step: str, definition: Definition, version: Version, place: Location) -> None:
        name = definition.statement.names[0] if definition.statement.names else "a definition"
        where = Location(definition.cell + 1, definition.statement.line)
        message = (
            f"step {step} needs `{name}` ({where}), which read `{version.name}` when it was defined, and "
            f"`{version.name}` has been changed since"
        )
        fix = f"read `{version.name}` inside the body instead, or keep the first value under another name"
        self.error("JP330", message, fix, place, name, step)

    def redefined(self, step: str, name: str, holder: Version, place: Location) -> None:
        message = (
            f"step {step} needs `{holder.name}`, made with `{name}` as it was before it was defined anew: other steps "
            f"only have the newest `{name}`"
        )
        self.error("JP331", message, f"give the second `{name}` another name", place, holder.name, step)

    def ambient(self, what: str, place: Location) -> None:
        message = f"`{what}` configures the kernel for later steps too, and cannot be repeated there"
        remedies = (Remedy("setup", place.cell),)
        self.add("JP332", Severity.WARNING, message, "move it to a setup cell", place, what, remedies=remedies)

    def module_state(self, step: str, what: str, set_at: Location, by: str, place: Location) -> None:
        package = what.partition(".")[0]
        message = (
            f"step {step} uses {package}, whose state step {by} set by `{what}` at {set_at}: that cannot be repeated "
            f"in another process"
        )
        fix = "call it on a line of its own, or in setup" if "seed" not in what else "draw in the step that seeds"
        if package == "duckdb":
            fix = "do both in one step, or keep the tables in a file: `duckdb.connect('tables.duckdb')`"
        self.error("JP333", message, fix, place, package, step, (Remedy("one-step", steps=(by, step)),))

    # -- values --------------------------------------------------------------------------------------------------

    def uncarriable(self, step: str, version: Version, made: Version, place: Location) -> None:
        kind = made.value.uncarriable or "something"
        message = f"step {step} needs `{version.name}`, which is {kind} ({made.location}) and lives in one process only"
        remedies: tuple[Remedy, ...] = (Remedy("one-step", steps=(made.step or "", step)),)
        if kind not in STATEFUL_KINDS:
            remedies = (Remedy("setup", made.location.cell, name=made.name), *remedies)
        self.error("JP401", message, _advice(kind, version.name, made), place, version.name, step, remedies)

    def shared_resource(self, name: str, kind: str, made: Location, steps: Sequence[str], place: Location) -> None:
        sharing = ", ".join(steps)
        message = f"`{name}` is {kind} that setup makes anew in every step ({made}), but {sharing} share what is in it"
        fix = {
            "a database connection": "use a database file instead of one in memory",
            "a database engine": "use a database file instead of one in memory",
        }.get(kind, f"make `{name}` inside the step that uses it, or keep a list instead")
        self.error("JP402", message, fix, place, name, remedies=(Remedy("one-step", steps=tuple(steps)),))

    def uncommitted(self, name: str, step: str, later: str, place: Location) -> None:
        message = f"step {step} writes through `{name}` and does not commit: step {later} has its own connection"
        fix = f"end the step with `{name}.commit()`, or write inside `with {name}:`"
        cells = [cell.number for cell in self.document.cells if cell.step == step]
        remedy = Remedy("append", cells[-1], name=f"{name}.commit()")
        self.error("JP403", message, fix, place, name, step, (remedy,))

    def setup_writes_file(self, path: str, place: Location) -> None:
        message = f"setup writes {path}, and does so again at the start of every step"
        self.error("JP404", message, "write the file in a step", place, path)

    # -- tables --------------------------------------------------------------------------------------------------

    def sql_not_understood(self, problem: str, place: Location) -> None:
        message = f"the SQL here is not understood ({problem}): it keeps its place among all that touches tables"
        self.add("JP350", Severity.WARNING, message, "correct it; if DuckDB runs it, ignore this", place, str(place))

    def setup_writes_table(self, table: TableName, place: Location) -> None:
        message = f"setup writes the table {table}, and does so again at the start of every step"
        self.error(
            "JP351", message, "write it in a step", place, str(table), remedies=(Remedy("no-setup", place.cell),)
        )

    def setup_reads_table(self, table: TableName, place: Location, writer: TableFact) -> None:
        message = (
            f"setup reads the table {table}, which step {writer.step} writes at {writer.location}: setup runs at the "
            f"start of every step, before and after that"
        )
        remedies = (Remedy("no-setup", place.cell),)
        self.error("JP351", message, "read it in a step", place, str(table), remedies=remedies)

    def temporary_table(self, name: TableName, use: TableFact, made: TableFact) -> None:
        owner = f"step {made.step}"
        message = f"`{name}` is a temporary table of {owner} ({made.location}), and every step has its own connection"
        fix = f"make it a table (`%%sql --table {name}`), or use it in {owner} only"
        self.error("JP352", message, fix, use.location, str(name), use.step)

    def session_state(self, use: TableFact, later: TableFact, *, decides: bool) -> None:
        message = f"`{use.what}` holds for the connection of step {use.step} only; step {later.step} has its own"
        severity = Severity.ERROR if decides else Severity.WARNING
        remedies = (Remedy("setup", use.location.cell),)
        self.add("JP353", severity, message, "move it to a setup cell", use.location, use.what, use.step, remedies)

    def open_transaction(self, step: str | None, place: Location) -> None:
        message = "a transaction is begun here that the step does not end: what it writes is lost with its connection"
        self.error("JP353", message, "add `COMMIT;` at the end", place, "transaction", step)

    def no_sql(self, place: Location) -> None:
        self.error("JP354", "the `%%sql` cell has no statement", "write one, or remove the cell", place, "empty")

    def builds_of_no_query(self, table: TableName, place: Location) -> None:
        message = f"the cell is to build {table}, but its last statement gives no rows"
        self.error("JP354", message, "end it with the `SELECT` that the table is made of", place, str(table))

    def assigns_no_query(self, name: str, place: Location) -> None:
        message = f"the cell is to assign `{name}`, but its last statement gives no rows"
        self.error("JP354", message, f"end it with a `SELECT`, or remove `{name} <<`", place, name)

    def watermark_of_nothing(self, table: TableName, place: Location) -> None:
        message = f"`$watermark` is the latest time in {table}, but the cell does not say in which column"
        self.error("JP354", message, "add `--time-column COLUMN`", place, "watermark")

    def sql_positions(self, place: Location) -> None:
        message = "parameters are known by their names here, and `?` and `$1` have none"
        self.error("JP355", message, "write `$name`, with the name of a variable", place, str(place))

    def secret_in_view(self, table: TableName, name: str, place: Location) -> None:
        message = f"the view {table} would keep the secret `{name}` in its text, for all who may read the view"
        fix = "build a table instead, or use the secret in the query that reads the view"
        self.error("JP357", message, fix, place, name)

    def writes_source(self, table: TableName, place: Location) -> None:
        message = f"{table} is of an external source, and sources are only read"
        self.error("JP358", message, "write into a schema of the warehouse", place, str(table))

    def view_of_source(self, table: TableName, place: Location) -> None:
        message = f"a view cannot read {table}, which is of an external source: who reads the view may not have it"
        self.error("JP358", message, "build a table: `--materialize table`, or `CREATE TABLE`", place, str(table))

    def skipped_table(self, table: TableName, skip: int, place: Location) -> None:
        message = f"{table} is made by cell {skip} only, which is tagged `skip` and never runs in a pipeline"
        fix = f"remove the `skip` tag of cell {skip}, or make {table} in a notebook of its own"
        self.error("JP356", message, fix, place, str(table), remedies=(Remedy("no-skip", skip),))

    def other_language(self) -> None:
        message = (
            f"the notebook's language is {self.document.language}: its steps run one after another in one kernel, in "
            f"notebook order; nothing is inferred and no values are carried"
        )
        self.add("JP340", Severity.INFO, message, "", None, "language")


def _why(value: Value) -> str:
    return value.broken if isinstance(value.broken, str) else f"{value.broken.location} changes it"


def _advice(kind: str, name: str, made: Version) -> str:
    if "iterator" in kind or "generator" in kind:
        return f"make it a list where it is made: `{name} = list(...)`, or use it up in the same step"
    if "function" in kind or "lambda" in kind:
        return f"define `{name}` with `def` at top level, in a cell of its own or in setup"
    if kind == "a module":
        return "import the module under that name"
    return f"make `{name}` in a setup cell, so that every step has its own, or use it in step {made.step} only"


def skip_bindings(document: NotebookDocument) -> list[int]:
    """Indices of the code cells tagged ``skip``."""
    return [cell.index for cell in document.cells if cell.role is Role.SKIP and (cell.python or cell.sql)]
