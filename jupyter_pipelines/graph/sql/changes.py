"""What a change of SQL means for those who rely on its result, told from the text alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from jupyter_pipelines.graph.sql.model import SqlStatement
from jupyter_pipelines.graph.sql.parsing import NotUnderstoodError, parse_text, tokenize, written
from jupyter_pipelines.graph.sql.statements import read_statements

if TYPE_CHECKING:
    from sqlglot import exp

ChangeKind = Literal["same", "formatting", "additive", "grain", "breaking"]


@dataclass(frozen=True, slots=True)
class SqlChange:
    """How a text differs from an earlier one.

    ``formatting``: nothing that counts; ``additive``: columns came and nothing else is another; ``grain``: what one row
    stands for is another (grouping, ``DISTINCT``); ``breaking``: rows or columns are others. ``added``, ``removed`` and
    ``changed`` name columns of the last query, as far as they have names.
    """

    kind: ChangeKind
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    def __str__(self) -> str:
        told = {
            "same": "unchanged",
            "formatting": "formatting only",
            "additive": "additive",
            "grain": "changed grain: a row stands for something else",
            "breaking": "breaking",
        }[self.kind]
        parts = [
            f"{word} {', '.join(names)}"
            for word, names in (("adds", self.added), ("removes", self.removed), ("changes", self.changed))
            if names
        ]
        return f"{told}; {', '.join(parts)}" if parts else told


@lru_cache(maxsize=512)
def compare(old: str, new: str) -> SqlChange:
    """How the SQL of a cell differs from what it was. Never raises: what is not understood is breaking."""
    if old == new:
        return SqlChange("same")
    before, after = read_statements(old), read_statements(new)
    if len(before) == len(after) and all(map(_same, before, after)):
        return SqlChange("formatting")
    if not before or not after or len(before) != len(after) or not all(map(_same, before[:-1], after[:-1])):
        return SqlChange("breaking")
    if before[-1].kind != "query" or after[-1].kind != "query":
        return SqlChange("breaking")
    try:
        return _compare_queries(parse_text(before[-1].text), parse_text(after[-1].text))
    except (NotUnderstoodError, RecursionError):
        return SqlChange("breaking")


def _same(one: SqlStatement, other: SqlStatement) -> bool:
    """Whether two statements are the same but for what stands between their words, and the case of keywords."""
    if one.text == other.text:
        return True
    try:
        if _words(one.text) == _words(other.text):
            return True
        if one.problem or other.problem:
            return False
        return written(parse_text(one.text)) == written(parse_text(other.text))
    except (NotUnderstoodError, RecursionError):
        return False


def _words(text: str) -> list[tuple[object, str]]:
    return [(token.token_type, token.text) for token in tokenize(text)]


def _compare_queries(before: exp.Expr, after: exp.Expr) -> SqlChange:
    old, new = _columns(before), _columns(after)
    added = tuple(name for name in new if name not in old)
    removed = tuple(name for name in old if name not in new)
    changed = tuple(name for name in new if name in old and old[name] != new[name])
    if _grain(before) != _grain(after):
        kind: ChangeKind = "grain"
    elif not removed and not changed and _only_adds(before, after):
        kind = "additive" if added or len(_queries(after)) > 1 else "formatting"
    else:
        kind = "breaking"
    return SqlChange(kind, added, removed, changed)


def _columns(tree: exp.Expr) -> Mapping[str, str]:
    """The columns of a query by name, each as text; those of the first part of a union."""
    from sqlglot import exp

    select = tree.find(exp.Select) if isinstance(tree, exp.SetOperation) else tree
    return {one.alias_or_name or written(one): written(one.unalias()) for one in getattr(select, "selects", ())}


def _grain(tree: exp.Expr) -> tuple[object, ...]:
    """What decides which rows become one, in the query itself: grouping, ``DISTINCT``, ``UNION``."""
    from sqlglot import exp

    if isinstance(tree, exp.SetOperation):
        return type(tree).__name__, bool(tree.args.get("distinct")), _grain(tree.left), _grain(tree.right)
    if not isinstance(tree, exp.Select):
        return (type(tree).__name__,)
    distinct = tree.args.get("distinct")
    group = tree.args.get("group")
    unnested = sorted(written(one) for one in tree.selects if one.find(exp.Unnest, exp.Explode))
    aggregates = any(one.find(exp.AggFunc) and not one.find(exp.Window) for one in tree.selects)
    return (
        sorted(written(one) for one in tree.selects) if distinct is not None and not distinct.args.get("on") else "",
        written(distinct) if distinct is not None and distinct.args.get("on") else "",
        _grouping(tree, group) if group is not None else aggregates,
        unnested,
    )


def _grouping(select: exp.Select, group: exp.Group) -> tuple[str, ...]:
    """The expressions that are grouped by; positions and ``ALL`` as what they stand for."""
    from sqlglot import exp

    selects = select.selects
    if group.args.get("all"):
        plain = [one.unalias() for one in selects if not one.find(exp.AggFunc)]
        return tuple(sorted(written(one) for one in plain))
    named = {one.alias.casefold(): one.unalias() for one in selects if one.alias}
    found = []
    for one in group.expressions:
        position = int(one.name) - 1 if isinstance(one, exp.Literal) and one.name.isdecimal() else -1
        meant = selects[position].unalias() if 0 <= position < len(selects) else one
        if isinstance(meant, exp.Column) and not meant.table:
            meant = named.get(meant.name.casefold(), meant)
        found.append(written(meant))
    extra = {key: value for key, value in group.args.items() if key != "expressions" and value}
    return (*sorted(found), *sorted(f"{key} {value}" for key, value in extra.items()))


def _only_adds(before: exp.Expr, after: exp.Expr) -> bool:
    """Whether taking columns away from queries of ``after`` makes ``before`` of it.

    They may be those of the query itself and of queries in its ``WITH``, where no ``*`` and no grain takes them up.
    """
    grains = {name: _grain(query) for name, query in _queries(before)}
    if any(name in grains and _grain(query) != grains[name] for name, query in _queries(after)):
        return False
    return _stripped(before, before) == _stripped(after, before)


def _stripped(tree: exp.Expr, like: exp.Expr) -> str:
    """The tree as text without the columns that the queries of ``like`` with the same names do not have, and without
    its grouping, which is compared by what it means."""
    from sqlglot import exp

    tree = tree.copy()
    wanted = {name: set(_columns(query)) for name, query in _queries(like)}
    for name, query in _queries(tree):
        if name in wanted and isinstance(query, exp.Select) and not query.args.get("distinct"):
            kept = [one for one in query.selects if (one.alias_or_name or written(one)) in wanted[name]]
            if kept:
                query.set("expressions", kept)
            query.set("group", None)
    return written(tree)


def _queries(tree: exp.Expr) -> Sequence[tuple[str, exp.Expr]]:
    """The query itself, as ``""``, and those of its ``WITH`` by name."""
    own = tree.args.get("with_")
    return [("", tree), *((cte.alias, cte.this) for cte in (own.expressions if own is not None else ()))]


__all__ = ["ChangeKind", "SqlChange", "compare"]
