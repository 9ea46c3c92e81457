"""The checks of ``jupyter pipelines doctor``: each tries a part of the installation by using it."""

from __future__ import annotations

from jupyter_pipelines.cli.doctor.check import Check, Finding, ProblemError, examine
from jupyter_pipelines.cli.doctor.checks import CHECKS

__all__ = ["CHECKS", "Check", "Finding", "ProblemError", "examine"]
