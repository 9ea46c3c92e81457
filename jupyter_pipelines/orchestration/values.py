"""Parameter values in the form in which they travel through Prefect and stand in records: plain JSON."""

from __future__ import annotations

import datetime
import enum
import pathlib
from collections.abc import Mapping
from typing import Any


def plain(value: object) -> Any:
    """``value`` in JSON form, as parameters travel through Prefect; coercion by the notebook's types brings it back."""
    match value:
        case enum.Enum():
            return plain(value.value)
        case datetime.timedelta():
            return value.total_seconds()
        case datetime.date() | datetime.time():
            return value.isoformat()
        case pathlib.PurePath():
            return str(value)
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(item) for item in value]
        case _:
            return value
