"""Which names a step may have, and what to suggest instead of one it may not."""

from __future__ import annotations

import re
import unicodedata

from jupyter_pipelines.notebook.codes import Problem

RESERVED = frozenset({"setup", "parameters", "skip", "notebook"})
WHOLE_NOTEBOOK = "notebook"  # the one step of a notebook that names no steps

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,99}")


def check_step_name(name: str) -> Problem | None:
    """Why ``name`` cannot be a step's name; ``None`` when it can."""
    if not name.strip():
        return Problem("JP131", "The step has no name.", "Write one after the colon: `step:load`, `%%step load`.")
    if not _NAME.fullmatch(name):
        return Problem(
            "JP131",
            f"`{name}` cannot be a step's name: only A-Z, a-z, 0-9, _ and -, a letter or _ first, at most 100.",
            f"Call it `{suggest_step_name(name)}`.",
        )
    if name.lower() in RESERVED:
        return Problem("JP132", f"`{name}` is reserved and cannot be a step's name.", f"Call it `{name}-step`.")
    return None


def suggest_step_name(text: str, fallback: str = "step") -> str:
    """A valid name near ``text``: ``Load & clean`` gives ``load-clean``, ``évaluer`` ``evaluer``, ``🚀`` ``rocket``."""
    plain = "".join(_plain(letter) for letter in unicodedata.normalize("NFKD", text))
    name = re.sub(r"-{2,}", "-", re.sub(r"[^A-Za-z0-9_]+", "-", plain)).strip("-").lower()[:60].strip("-")
    if not name:
        return fallback
    if name[0].isdigit():
        name = f"{fallback}-{name}"
    return f"{name}-step" if name in RESERVED else name


def _plain(letter: str) -> str:
    if letter.isascii():
        return letter
    if unicodedata.category(letter) == "So":  # emoji and other symbols have telling names
        return f"-{unicodedata.name(letter, '').lower()}-"
    return ""
