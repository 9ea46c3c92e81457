"""The proof that a pipeline gives what *Restart & Run All* gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_pipelines.lazy import lazy_names

if TYPE_CHECKING:
    from jupyter_pipelines.verification.background import (
        Verification,
        cancel_verification,
        get_verification,
        submit_verification,
        verifications,
    )
    from jupyter_pipelines.verification.model import CellReport, Difference, Report, ValueReport
    from jupyter_pipelines.verification.proof import verify

__all__ = [
    "CellReport",
    "Difference",
    "Report",
    "ValueReport",
    "Verification",
    "cancel_verification",
    "get_verification",
    "submit_verification",
    "verifications",
    "verify",
]

__getattr__ = lazy_names(
    __name__,
    {
        **dict.fromkeys(("CellReport", "Difference", "Report", "ValueReport"), f"{__name__}.model"),
        **dict.fromkeys(
            ("Verification", "cancel_verification", "get_verification", "submit_verification", "verifications"),
            f"{__name__}.background",
        ),
        "verify": f"{__name__}.proof",
    },
)
