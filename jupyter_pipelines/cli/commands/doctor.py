"""Try out every part of this installation by using it: kernel, papermill, Prefect, a schedule, the store, DuckDB …

What is made for it is removed again. Exit codes: 0 everything works, 1 something does not.

--format json: {"ok", "checks": [{"name", "status": "ok"|"failed"|"skipped", "detail", "fix", "seconds"}]}
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_pipelines.cli.doctor import Finding

_SIGNS = {"ok": ("✓", "green"), "failed": ("✗", "bold red"), "skipped": ("–", "dim")}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.arguments import add_format

    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    from jupyter_pipelines.cli.doctor import CHECKS, examine

    as_json = arguments.format == "json"
    findings = []
    for finding in examine(CHECKS):
        findings.append(finding)
        _tell(finding, to_stderr=as_json)
    failed = sum(finding.status == "failed" for finding in findings)
    if as_json:
        from dataclasses import asdict

        from jupyter_pipelines.cli.output import print_json

        print_json({"ok": not failed, "checks": [asdict(finding) for finding in findings]})
    else:
        print("everything works" if not failed else f"{failed} of {len(findings)} checks failed")
    return 1 if failed else 0


def _tell(finding: Finding, *, to_stderr: bool) -> None:
    from rich.text import Text

    from jupyter_pipelines.cli.output import clean, console, duration

    screen = console(sys.stderr if to_stderr else sys.stdout)
    glyph, style = _SIGNS[finding.status]
    passed = f"  {duration(finding.seconds)}" if finding.seconds >= 0.1 else ""
    first, *more = clean(finding.detail).split("\n")
    screen.print(Text.assemble((glyph, style), f" {finding.name:<17}", first, (passed, "dim")), soft_wrap=True)
    for line in more:
        screen.print(Text(f"{'':<19}{line}"), soft_wrap=True)
    if finding.fix:
        screen.print(Text(f"{'':<19}fix: {clean(finding.fix)}"), soft_wrap=True)
