"""Running steps: real kernels, values carried between them, the executed notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_pipelines.lazy import lazy_names

if TYPE_CHECKING:
    from jupyter_pipelines.execution.client import wait_for_kernels
    from jupyter_pipelines.execution.comparison import difference, same_value
    from jupyter_pipelines.execution.containers import container_path, load_values, verify_container
    from jupyter_pipelines.execution.engine import KernelRequest, Outcome, execute_cells
    from jupyter_pipelines.execution.looking import inspection
    from jupyter_pipelines.execution.steps import prepare_kernels, run_step

__all__ = [
    "KernelRequest",
    "Outcome",
    "container_path",
    "difference",
    "execute_cells",
    "inspection",
    "load_values",
    "prepare_kernels",
    "run_step",
    "same_value",
    "verify_container",
    "wait_for_kernels",
]

__getattr__ = lazy_names(
    __name__,
    {
        **dict.fromkeys(("container_path", "load_values", "verify_container"), f"{__name__}.containers"),
        **dict.fromkeys(("KernelRequest", "Outcome", "execute_cells"), f"{__name__}.engine"),
        **dict.fromkeys(("difference", "same_value"), f"{__name__}.comparison"),
        **dict.fromkeys(("prepare_kernels", "run_step"), f"{__name__}.steps"),
        "inspection": f"{__name__}.looking",
        "wait_for_kernels": f"{__name__}.client",
    },
)
