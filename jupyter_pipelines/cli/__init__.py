"""``jupyter pipelines …``: the command line, a face of the public API that scripts can rely on.

Exit codes: 0 good, 1 the pipeline failed (or was found wanting), 2 the request was wrong, 130 cancelled by Ctrl-C.
With ``--format json`` standard output holds one JSON document and nothing else; progress goes to standard error.
A request that fails gives ``{"error": {"kind", "message", "fix", "diagnostics"}}``.
"""

from __future__ import annotations

from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line with ``argv`` (``sys.argv`` by default) and return its exit code."""
    from jupyter_pipelines.cli.application import main as run

    return run(argv)
