"""Find what is wrong with notebooks, like a linter: nothing is run. SQL is held against the warehouse, if it is open.

Exit codes: 0 nothing to mend, 1 errors were found (with --strict: or warnings), 2 there is no such file, or it
cannot be opened.

--format json: {"notebooks": [{"notebook", "steps", "diagnostics": [{"code", "severity", "message", "fix",
"location": {"cell", "line"} or null, "first_line", "step"}]}], "errors", "warnings"}
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from jupyter_pipelines.diagnostics import Diagnostic, Severity


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.arguments import add_format

    parser.add_argument("notebooks", metavar="NB", nargs="+", help="the notebooks")
    parser.add_argument("--strict", action="store_true", help="warnings count as errors")
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    from jupyter_pipelines.cli.arguments import load_pipeline, notebook_path
    from jupyter_pipelines.orchestration.kernels import missing_kernel
    from jupyter_pipelines.results.checking import with_findings

    for name in arguments.notebooks:
        notebook_path(name)  # all of them, before anything is told about one
    reports: list[tuple[str, int, tuple[Diagnostic, ...]]] = []
    for name in arguments.notebooks:
        pipeline = with_findings(load_pipeline(name))
        found = (*pipeline.diagnostics, *missing_kernel(pipeline.document))
        reports.append((name, len(pipeline.steps), found))
    diagnostics = [diagnostic for _, _, found in reports for diagnostic in found]
    errors = sum(diagnostic.severity is Severity.ERROR for diagnostic in diagnostics)
    warnings = sum(diagnostic.severity is Severity.WARNING for diagnostic in diagnostics)
    if arguments.format == "json":
        _print_json(reports, errors, warnings)
    else:
        _print_text(reports, errors, warnings)
    return 1 if errors or (arguments.strict and warnings) else 0


def _print_json(reports: Sequence[tuple[str, int, Sequence[Diagnostic]]], errors: int, warnings: int) -> None:
    from jupyter_pipelines.cli.output import print_json

    print_json(
        {
            "notebooks": [
                {"notebook": name, "steps": steps, "diagnostics": [diagnostic.to_dict() for diagnostic in found]}
                for name, steps, found in reports
            ],
            "errors": errors,
            "warnings": warnings,
        }
    )


def _print_text(reports: Sequence[tuple[str, int, Sequence[Diagnostic]]], errors: int, warnings: int) -> None:
    from jupyter_pipelines.cli.diagnostics import print_diagnostics
    from jupyter_pipelines.cli.output import count

    for name, steps, found in reports:
        print_diagnostics(name, found)
        if not found:
            print(f"{name}: {count(steps, 'step')}, nothing to mend")
    if errors or warnings:
        print(f"{count(errors, 'error')}, {count(warnings, 'warning')}")
