"""Lengths of time as people type them."""

from __future__ import annotations

import argparse
import re

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def seconds(text: str) -> float:
    """``30d``, ``12h``, ``1h30m`` as seconds. Raises :class:`argparse.ArgumentTypeError`."""
    if not re.fullmatch(r"(\d+(\.\d+)?[smhdw])+", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a length of time; write 30d, 12h or 1h30m")
    return sum(float(number) * _UNITS[unit] for number, unit in re.findall(r"([\d.]+)([smhdw])", text))
