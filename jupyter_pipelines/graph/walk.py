"""The notebook in its own order, cell by cell; what an earlier walk knows of a cell is taken where it still holds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from jupyter_pipelines.graph.adoption import Adoption
from jupyter_pipelines.graph.dataflow import Circumstances, Dataflow, General
from jupyter_pipelines.graph.diagnose import Reporter
from jupyter_pipelines.graph.events import CellEffects
from jupyter_pipelines.graph.facts import CellFacts, Facts, StepFacts
from jupyter_pipelines.graph.observed import NOTHING_SEEN, Seen
from jupyter_pipelines.graph.state import Share, State
from jupyter_pipelines.graph.summaries import Summaries
from jupyter_pipelines.graph.values import Place, Site, Version
from jupyter_pipelines.notebook.model import Cell, NotebookDocument, Role


@dataclass(slots=True, eq=False)
class Visit:
    """What came of looking at a cell: it comes again wherever everything the cell asked has the same answer."""

    here: Circumstances
    share: Share
    facts: CellFacts
    versions: tuple[Version, ...]  # that it made


_SEARCHING = ("doctest", "unittest", "__subclasses__")  # what looks for definitions, wherever they are
_EXAMPLE = re.compile(r"^\s*(?:>>>|\.\.\.) (.*)$", re.MULTILINE)
_NAME = re.compile(r"\b[^\W\d]\w*")
_Visits = dict[str, Visit]  # by the cells' ids, in notebook order


class Memory:
    """What the last compilation of a notebook knew of its cells, walk by walk."""

    def __init__(self) -> None:
        self.sites: dict[str, Site] = {}
        self.walks: list[_Visits] = []
        self.summaries = Summaries()
        self.state = State()
        self.general: General | None = None

    def prepare(self, document: NotebookDocument, general: General) -> None:
        """Point the places at where the cells are now; forget everything when too much is another."""
        before = [self.sites[cell.id].index for cell in document.cells if cell.id in self.sites]
        if general != self.general or before != sorted(before):  # definitions are told apart by their order
            self.sites, self.walks, self.summaries = {}, [], Summaries()
        self.general = general
        self.sites = {cell.id: self.sites.get(cell.id) or Site(cell.index) for cell in document.cells}
        for cell in document.cells:
            self.sites[cell.id].index = cell.index


class Walk:
    """Goes through the cells of one document, more than once if need be."""

    def __init__(
        self,
        document: NotebookDocument,
        effects: dict[int, CellEffects],
        digests: Mapping[str, str],
        seen: Mapping[str, Seen],
        seeded: frozenset[str],
        memory: Memory,
    ) -> None:
        self.document, self.effects, self.digests, self.seen = document, effects, digests, seen
        self.seeded, self.memory = seeded, memory
        self.cells = {name: cells for name, cells in _cells_by_step(document).items() if name in document.steps}
        self.walks: list[_Visits] = []
        parameters = frozenset(parameter.name for parameter in document.parameters)
        several = len(self.cells) > 1
        self._bound = frozenset[str]().union(*(effect.bound for effect in effects.values()))
        caches = any("cache_info" in (cell.python or "") for cell in document.cells)
        ends = any("__del__" in (cell.python or "") for cell in document.cells)
        self.general = General(parameters, seeded, several, caches, tuple(self._find_searched()), ends)
        memory.prepare(document, self.general)
        self._last_read = self._find_last_reads()

    def go(self, promoted: frozenset[tuple[str, str]], reporter: Reporter) -> Facts:
        """The facts; ``promoted`` pairs a step with names it must pass on so that objects stay shared."""
        sites, state = self.memory.sites, self.memory.state
        state.clear()
        dataflow = Dataflow(state, self.memory.summaries, self.general)
        facts = Facts(
            {
                name: StepFacts(name, cells, Place(sites[self.document.cells[cells[0]].id]), self.digests[name])
                for name, cells in ((name, self.cells[name]) for name in self.document.steps if name in self.cells)
            }
        )
        number = len(self.walks)
        latest = self.walks[-1] if self.walks else {}
        last_time = self.memory.walks[number] if number < len(self.memory.walks) else latest
        visits: _Visits = {}
        self.walks.append(visits)
        to_come = iter(last_time.items())
        before: Cell | None = None
        for index, effect in self.effects.items():
            cell = self.document.cells[index]
            here = self._circumstances(cell, effect, before, promoted)
            known = _catch_up(cell.id, last_time, to_come)
            if (
                known is not None
                and known.here == here
                and (not (others := state.others()) or not known.share.is_reached(others) or known.share.holds())
            ):
                visit = known
                visit.share.repeat()
                if others:
                    visit.share.agrees()
            else:
                visit = self._visit(dataflow, sites[cell.id], here, (latest.get(cell.id), known))
                visit.share.differs(known.share if known is not None else None)
            visits[cell.id] = visit
            facts.add(here.step, visit.facts)
            for finding in visit.facts.findings:
                finding(reporter)
            before = cell
        facts.latest = state.env.now
        for (step, name), version in state.own.now.items():
            facts.steps[step].own[name] = version
        return facts

    def _visit(
        self, dataflow: Dataflow, site: Site, here: Circumstances, earlier: tuple[Visit | None, Visit | None]
    ) -> Visit:
        for visit in earlier:
            if visit is not None and visit.here == here and visit.share.holds():
                visit.share.repeat()
                return visit
        state = self.memory.state
        state.begin()
        facts = dataflow.look_at(site, here)
        versions = tuple(dataflow.made)
        like = earlier[1] or earlier[0]
        if like is not None:
            adoption = Adoption(versions, dataflow.defined, like.versions)
            state.adopt(adoption)
            versions = tuple(adoption.version(version) for version in versions)
        return Visit(here, state.share(), facts, versions)

    def _circumstances(
        self, cell: Cell, effect: CellEffects, before: Cell | None, promoted: frozenset[tuple[str, str]]
    ) -> Circumstances:
        last_read = self._last_read.get(cell.index, ())
        if cell.role is not Role.STEP or cell.step is None:
            return Circumstances(effect, None, False, False, False, (), (), (), NOTHING_SEEN, (), last_read)
        step = cell.step
        cells, options = self.cells[step], self.document.steps[step]
        leaves = cells[-1] == cell.index
        return Circumstances(
            effect,
            step,
            cells[0] == cell.index,
            leaves,
            before is not None and before.role is Role.STEP and before.step == step,
            options.reads,
            options.writes,
            options.unchanged,
            self.seen.get(self.digests[step], NOTHING_SEEN),
            tuple(sorted(name for owner, name in promoted if owner == step)) if leaves and promoted else (),
            last_read,
        )

    def _find_searched(self) -> dict[str, None]:
        """The names of all definitions, and of what examples in their texts use, where any code looks for such."""
        if not any(word in (cell.python or "") for cell in self.document.cells for word in _SEARCHING):
            return {}
        found: dict[str, None] = {}
        for effect in self.effects.values():
            for statement in effect.definitions:
                found.update(dict.fromkeys(statement.names))
                examples = "\n".join(_EXAMPLE.findall(statement.source))
                found.update(dict.fromkeys(name for name in _NAME.findall(examples) if name in self._bound))
        return found

    def _find_last_reads(self) -> dict[int, tuple[str, ...]]:
        """By cell: names that no later cell mentions. Functions read later than they stand, so theirs never end."""
        read = set[str]().union(self.general.searched, *(effect.read_later for effect in self.effects.values()))
        for options in self.document.steps.values():
            read.update(options.reads, options.writes)
        ends = {}
        for index, effect in reversed(list(self.effects.items())):
            ends[index] = tuple(sorted(effect.read - read))
            read |= effect.read
        return ends


def _catch_up(identity: str, last_time: _Visits, to_come: Iterator[tuple[str, Visit]]) -> Visit | None:
    """The visit of the last time, once those before it that are no more have been taken into account."""
    if identity not in last_time:
        return None
    for other, visit in to_come:
        if other == identity:
            return visit
        visit.share.is_gone()
    return None


def _cells_by_step(document: NotebookDocument) -> dict[str, tuple[int, ...]]:
    found: dict[str, list[int]] = {}
    for cell in document.cells:
        if cell.role is Role.STEP and cell.step is not None:
            found.setdefault(cell.step, []).append(cell.index)
    return {name: tuple(cells) for name, cells in found.items()}
