"""Comparing figures pixel by pixel."""

from __future__ import annotations

import base64
import binascii
import io
import struct
import zlib
from collections.abc import Iterator


def same_image(one: str, other: str) -> bool:
    """Whether two images (base64, as in a notebook) show the same pixels, however they were compressed."""
    if one == other:
        return True
    try:
        return _pixels(base64.b64decode(one)) == _pixels(base64.b64decode(other))
    except (ValueError, OSError, zlib.error, struct.error, binascii.Error):
        return False


def describe_image(data: str) -> str:
    """An image in a few words: its size in pixels and a checksum that tells two of them apart."""
    try:
        content = base64.b64decode(data)
        checksum = f"checksum {zlib.crc32(content):08x}"
        width, height = struct.unpack(">II", content[16:24]) if content[:4] == b"\x89PNG" else (0, 0)
    except (ValueError, struct.error):
        return "an unreadable image"
    return f"image of {width} x {height} pixels, {checksum}" if width else f"image, {checksum}"


def _pixels(content: bytes) -> tuple[object, ...]:
    try:
        from PIL import Image
    except ImportError:
        return _png_samples(content)
    with Image.open(io.BytesIO(content)) as image:
        return image.size, image.convert("RGBA").tobytes()


def _png_samples(content: bytes) -> tuple[object, ...]:
    """A PNG's samples without an image library: not its metadata, and not how it was compressed."""
    parts = dict.fromkeys((b"IHDR", b"PLTE", b"tRNS", b"IDAT"), b"")
    for kind, data in _chunks(content):
        if kind in parts:
            parts[kind] += data
    return parts[b"IHDR"], parts[b"PLTE"], parts[b"tRNS"], zlib.decompress(parts[b"IDAT"])


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    if content[:8] != b"\x89PNG\r\n\x1a\n":
        raise ValueError("not a PNG")
    position = 8
    while position + 8 <= len(content):
        length, kind = struct.unpack(">I4s", content[position : position + 8])
        yield kind, content[position + 8 : position + 8 + length]
        position += length + 12
