"""Lengths of time as people type them."""

from __future__ import annotations

import argparse
import re
import time
from contextlib import suppress
from datetime import datetime

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def seconds(text: str) -> float:
    """``30d``, ``12h``, ``1h30m`` as seconds. Raises :class:`argparse.ArgumentTypeError`."""
    if not re.fullmatch(r"(\d+(\.\d+)?[smhdw])+", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a length of time; write 30d, 12h or 1h30m")
    return sum(float(number) * _UNITS[unit] for number, unit in re.findall(r"([\d.]+)([smhdw])", text))


def moment(text: str) -> float:
    """``2d`` ago, ``2027-03-14`` or ``2027-03-14T08:00`` (here, unless it names a zone) in seconds since the epoch.

    Raises :class:`argparse.ArgumentTypeError`.
    """
    with suppress(argparse.ArgumentTypeError):
        return time.time() - seconds(text)
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is not a time; write 2d, 12h, 2027-03-14 or 2027-03-14T08:00")
