"""Whether two values are the same for every code that could look at them, and where they differ.

Values that :func:`~jupyter_pipelines.execution.containers.load_values` gave can be compared, also those of classes that
the notebook defines.
"""

from __future__ import annotations

from jupyter_pipelines.execution.kernel_side.comparison import difference

__all__ = ["difference", "same_value"]


def same_value(first: object, second: object) -> bool:
    """Whether two values are the same: by type and state, NaN equal to NaN, caches apart.

    :func:`difference` tells where they differ.
    """
    return difference(first, second) is None
