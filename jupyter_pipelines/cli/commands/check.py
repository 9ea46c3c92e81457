"""Find what is wrong with notebooks, like a linter: nothing is run. SQL is held against the warehouse, if it is open.

With --fix what can be put right in one way is put right in the notebook's file, and shown as a diff; --diff shows it
and writes nothing. What can be put right in several ways, or needs a value that you must choose, is left to you. What
is reported, and the exit code, are about the file as it is then.

Exit codes: 0 nothing to mend, 1 errors were found (with --strict: or warnings), 2 there is no such file, or it
cannot be opened.

--format json: {"notebooks": [{"notebook", "steps", "diagnostics": [{"code", "severity", "message", "fix",
"location": {"cell", "line"} or null, "first_line", "step"}]}], "errors", "warnings"}; with --fix or --diff each
notebook has "fixes": [texts], "diff" and "written", too.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from jupyter_pipelines.diagnostics import Diagnostic, Severity

if TYPE_CHECKING:
    from jupyter_pipelines.results.fixing import Fixed


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.arguments import add_format

    parser.add_argument("notebooks", metavar="NB", nargs="+", help="the notebooks")
    parser.add_argument("--strict", action="store_true", help="warnings count as errors")
    fixing = parser.add_mutually_exclusive_group()
    fixing.add_argument("--fix", action="store_true", help="put right what there is one way to, in the files")
    fixing.add_argument("--diff", action="store_true", help="show what --fix would do; nothing is written")
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    from jupyter_pipelines.cli.arguments import load_pipeline, notebook_path
    from jupyter_pipelines.orchestration.kernels import missing_kernel
    from jupyter_pipelines.results.checking import with_findings
    from jupyter_pipelines.results.fixing import fix

    for name in arguments.notebooks:
        notebook_path(name)  # all of them, before anything is told about one
    fixed = [fix(name, write=False) for name in arguments.notebooks] if arguments.fix or arguments.diff else []
    if arguments.fix:  # now that none of them is one that cannot be mended
        fixed = [fix(name) for name in arguments.notebooks]
    reports: list[tuple[str, int, tuple[Diagnostic, ...]]] = []
    for name in arguments.notebooks:
        pipeline = with_findings(load_pipeline(name))
        found = (*pipeline.diagnostics, *missing_kernel(pipeline.document))
        reports.append((name, len(pipeline.steps), found))
    diagnostics = [diagnostic for _, _, found in reports for diagnostic in found]
    errors = sum(diagnostic.severity is Severity.ERROR for diagnostic in diagnostics)
    warnings = sum(diagnostic.severity is Severity.WARNING for diagnostic in diagnostics)
    if arguments.format == "json":
        _print_json(reports, fixed, errors, warnings)
    else:
        _print_fixed(fixed)
        _print_text(reports, errors, warnings)
    return 1 if errors or (arguments.strict and warnings) else 0


def _print_json(
    reports: Sequence[tuple[str, int, Sequence[Diagnostic]]], fixed: Sequence[Fixed], errors: int, warnings: int
) -> None:
    from jupyter_pipelines.cli.output import print_json

    notebooks: list[dict[str, object]] = [
        {"notebook": name, "steps": steps, "diagnostics": [diagnostic.to_dict() for diagnostic in found]}
        for name, steps, found in reports
    ]
    for told, one in zip(notebooks, fixed, strict=bool(fixed)):
        told |= {"fixes": list(one.fixes), "diff": one.diff, "written": one.written}
    print_json({"notebooks": notebooks, "errors": errors, "warnings": warnings})


def _print_fixed(fixed: Sequence[Fixed]) -> None:
    from jupyter_pipelines.cli.output import clean

    for one in fixed:
        print(clean(one.diff), end="")
        for words in one.fixes:
            print(clean(f"{one.notebook}: {'fixed' if one.written else 'would fix'} {words}"))


def _print_text(reports: Sequence[tuple[str, int, Sequence[Diagnostic]]], errors: int, warnings: int) -> None:
    from jupyter_pipelines.cli.diagnostics import print_diagnostics
    from jupyter_pipelines.cli.output import count

    for name, steps, found in reports:
        print_diagnostics(name, found)
        if not found:
            print(f"{name}: {count(steps, 'step')}, nothing to mend")
    if errors or warnings:
        print(f"{count(errors, 'error')}, {count(warnings, 'warning')}")
