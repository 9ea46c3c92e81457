"""Which parameters are secret: by what the author says, else by their names.

The author says it at the start of the comment that describes the parameter: ``dsn = ""  # secret: where the data is``,
or ``token_column = "id"  # not secret``. Otherwise a text is secret whose name says so: ``password``, ``api_token``,
``AWS_SECRET_ACCESS_KEY``. Numbers, dates and truth values are not by their names alone: ``max_tokens = 100``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Final

HIDDEN: Final = "***"
"""What is shown in place of a secret."""

_SHORTEST: Final = 4  # characters of a secret that is looked for in texts; shorter ones are in too many words
_SAID: Final = re.compile(r"(not\s+)?secret\b(?!\s*=)", re.IGNORECASE)
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SECRET_WORDS: Final = frozenset(
    {
        *("password", "passwords", "passwd", "pwd", "pw", "passphrase", "pin"),
        *("secret", "secrets", "token", "tokens", "jwt", "bearer", "apikey", "accesskey"),
        *("credential", "credentials", "creds", "auth", "authorization"),
    }
)
_KEYS: Final = frozenset({"key", "keys"})
_OF_HARMLESS_KEYS: Final = frozenset({"primary", "foreign", "sort", "group", "join", "merge", "index", "partition"})
_HARMLESS_ENDS: Final = frozenset({"column", "columns", "col", "field", "name", "names", "path", "file", "url", "type"})
_PLAIN: Final = frozenset({"int", "float", "bool", "date", "datetime", "timedelta", "None"})


def is_secret(name: str, annotation: str = "str", description: str = "") -> bool:
    """Whether a parameter is secret; ``annotation`` is its type as written, ``description`` its comment."""
    said = _SAID.match(description.strip())
    if said is not None:
        return said.group(1) is None
    return not set(re.findall(r"\w+", annotation)) <= _PLAIN and has_secret_name(name)


def has_secret_name(name: str) -> bool:
    """Whether a name is one that secrets have."""
    words = [word.lower() for word in _WORD.findall(name)]
    if not words or words[-1] in _HARMLESS_ENDS:
        return False
    if words[-1] in _KEYS:
        return not _OF_HARMLESS_KEYS.intersection(words)
    return not _SECRET_WORDS.isdisjoint(words)


def conceal(text: str, values: Iterable[object]) -> str:
    """``text`` without those of the secret ``values`` that are in it."""
    found = {written for value in values for written in _writings(value)}
    for written in sorted(found, key=len, reverse=True):
        text = text.replace(written, HIDDEN)
    return text


def _writings(value: object) -> set[str]:
    """How a secret may be written: by itself, and as Python and JSON write it."""
    if isinstance(value, Mapping):
        return {written for one in value.values() for written in _writings(one)}
    if isinstance(value, list | tuple | set | frozenset):
        return {written for one in value for written in _writings(one)}
    if value is None or isinstance(value, bool):
        return set()
    text = str(value)
    return {written for written in (text, repr(text)[1:-1], json.dumps(text)[1:-1]) if len(written) >= _SHORTEST}
