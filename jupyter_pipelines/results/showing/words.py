"""States and their signs."""

from __future__ import annotations

from typing import Final

GLYPHS: Final = {
    "completed": "✓",
    "reused": "↺",
    "skipped": "–",
    "pending": "·",
    "running": "▸",
    "failed": "✗",
    "timed-out": "✗",
    "cancelled": "■",
    "crashed": "✗",
    "refused": "✗",
}
