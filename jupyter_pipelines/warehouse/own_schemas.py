"""Where the warehouse keeps what it needs itself: hidden from those who browse it, and only read by cells."""

from __future__ import annotations

from typing import Final

SCHEMA: Final = "_jupyter_pipelines"
BACKUPS: Final = "_backup"
OWN_SCHEMAS: Final = frozenset({SCHEMA, BACKUPS})
