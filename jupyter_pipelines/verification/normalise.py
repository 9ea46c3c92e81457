"""What every run writes differently, made alike: addresses, timings, temporary paths, progress bars."""

from __future__ import annotations

import re
import tempfile

_TEMPORARY = re.escape(tempfile.gettempdir())
_NUMBER = r"\d+(?:[.,]\d+)*"
_TIME = rf"{_NUMBER} ?(?:ns|µs|us|μs|ms|s|min|h)\b"

_RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"\x1b\[[0-9;]*[A-Za-z]", ""),  # colours
        (r"\r\n", "\n"),
        (r"\b0x[0-9a-fA-F]{6,}\b", "0x…"),  # <Thing at 0x7f…>
        (r"[^\s\"'<>(]*ipykernel_\d+[\\/]\d+\.py", "<cell>"),  # the file that stands for a cell
        (r"<ipython-input-\d+-[0-9a-f]+>", "<cell>"),
        (r"\b(Cell )?In ?\[\d+\]", "Cell In[…]"),
        (r"[^\s\"'<>(]*kernel-[0-9a-f-]{36}\.json", "<connection file>"),
        (rf"{_TEMPORARY}[\\/]jupyter-pipelines-[^\s\"'<>]*", "<temporary>"),
        (rf"{_TEMPORARY}[\\/]tmp[a-z0-9_]{{6,}}", "<temporary>"),
        (r"\bsk-(container|estimator)-id-\d+", r"sk-\1-id-…"),  # scikit-learn counts what a session has shown
        (r"(?m)^(CPU times|Wall time):.*$", r"\1: …"),  # %time
        (rf"(?m)^(Ran \d+ tests? in) {_TIME}$", r"\1 …"),  # unittest
        (rf"(?m)^{_TIME} ± .* per loop .*$", "… per loop"),  # %timeit
        (r"(?m)^.*\d+%\|[^\n|]*\|.*$", "<progress bar>"),  # tqdm; how far it got is in what comes after
        (r"(?m)^.*\d+it \[[\d:]+, [^\]]*\]$", "<progress bar>"),
    )
)


def normalise(text: str) -> str:
    """``text`` with everything replaced that differs in every run by its nature."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text
