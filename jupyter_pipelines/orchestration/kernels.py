"""Whether the kernel that a notebook asks for is installed here; only the machine can tell, not the notebook."""

from __future__ import annotations

from jupyter_pipelines.diagnostics import Diagnostic, Severity
from jupyter_pipelines.notebook.model import NotebookDocument


def missing_kernel(document: NotebookDocument) -> tuple[Diagnostic, ...]:
    """A finding when ``document`` names a kernel that is not installed, else nothing."""
    name = document.kernel_name
    if not name or name in {"python3", "python"}:  # the one that always comes along
        return ()
    from jupyter_client.kernelspec import KernelSpecManager

    known = KernelSpecManager().find_kernel_specs()
    if name in known:
        return ()
    return (
        Diagnostic(
            code="JP501",
            severity=Severity.ERROR,
            message=f"the notebook asks for the kernel {name!r}, which is not installed here",
            fix=f"install it, or choose one of: {', '.join(sorted(known)) or 'none is installed'}",
        ),
    )
