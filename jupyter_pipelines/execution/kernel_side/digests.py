"""Content hashes. The algorithm is part of each digest: xxh3, at memory speed, or blake2b where there is no xxhash."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .pickling import Pickled


def _blake2b(data: Any) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()


_ALGORITHMS: dict[str, Callable[[Any], str]] = {"blake2b": _blake2b}
ALGORITHM = "blake2b"
try:
    import xxhash
except ImportError:
    pass
else:
    _ALGORITHMS["xxh3"] = xxhash.xxh3_128_hexdigest
    ALGORITHM = "xxh3"


def digest(data: bytes | memoryview, algorithm: str = ALGORITHM) -> str:
    """The 128-bit hash of ``data`` as ``<hex>.<algorithm>``; raises :class:`KeyError` for an algorithm not at hand."""
    return f"{_ALGORITHMS[algorithm](data)}.{algorithm}"


def algorithm_of(name: str) -> str:
    """The algorithm that made a digest."""
    return name.rpartition(".")[2]


def is_known(algorithm: str) -> bool:
    """Whether digests of ``algorithm`` can be checked here."""
    return algorithm in _ALGORITHMS


def digest_of(pickled: Pickled, buffers: Sequence[str] = ()) -> str:
    """The digest of a value: of its pickle and, where it has any, its buffers (``buffers``: theirs, if known)."""
    parts = buffers or [digest(buffer) for buffer in pickled.buffers]
    return combined([digest(pickled.stream), *parts]) if parts else digest(pickled.stream)


def combined(digests: Iterable[str]) -> str:
    """One digest for several."""
    return digest("\n".join(digests).encode())
