"""The columns of a query told from its text alone, where it names each of them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from jupyter_pipelines.graph.sql.parsing import NotUnderstoodError, parse_text

if TYPE_CHECKING:
    from jupyter_pipelines.warehouse.dry_run.asking import Columns

_BY_DATA: Final = re.compile(r"\b(?:pivot|unpivot)\b", re.IGNORECASE)
_BY_TYPE: Final = re.compile(r"\bunnest\b", re.IGNORECASE)


@lru_cache(maxsize=2048)
def named_columns(text: str) -> Columns | None:
    """The columns of a query, with no types; ``None`` where a ``*`` stands for some, or one has no name."""
    from sqlglot import exp

    try:
        tree = parse_text(text)
    except (NotUnderstoodError, RecursionError):
        return None
    while isinstance(tree, exp.SetOperation):
        if tree.args.get("by_name"):
            return None
        tree = tree.left.unnest()
    if not isinstance(tree, exp.Select) or not tree.selects or not keeps_columns(text, typed=False):
        return None
    names = []
    for one in tree.selects:
        if not isinstance(one, exp.Alias | exp.Column) or one.is_star or one.find(exp.Columns):
            return None
        names.append(one.alias_or_name)
    if len({name.casefold() for name in names}) < len(names) or not all(names):
        return None
    return tuple((name, "") for name in names)


def keeps_columns(text: str, *, typed: bool) -> bool:
    """Whether the columns of a query are the same when there are rows, and when types are known."""
    return not _BY_DATA.search(text) and (typed or not _BY_TYPE.search(text))
