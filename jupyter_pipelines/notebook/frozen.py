"""A notebook less what running it leaves behind, so that executing it in Jupyter makes no new version."""

from __future__ import annotations

import json
from typing import Any

_OF_RUNNING = ("execution", "ExecuteTime", "papermill")  # cell metadata: times of the last execution
_OF_RUNNING_ALL = ("papermill", "widgets")  # notebook metadata


def without_outputs(content: bytes) -> bytes:
    """The notebook less outputs, counts and execution times, in one canonical form.

    A text notebook, or one in an older format, is given back as it is.
    """
    try:
        notebook = json.loads(content)
        _strip(notebook.get("metadata"), _OF_RUNNING_ALL)
        for cell in notebook["cells"]:
            if "outputs" in cell:
                cell["outputs"], cell["execution_count"] = [], None
            _strip(cell.get("metadata"), _OF_RUNNING)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return content
    return _canonical(notebook)


def _strip(metadata: object, names: tuple[str, ...]) -> None:
    if isinstance(metadata, dict):
        for name in names:
            metadata.pop(name, None)


def _canonical(notebook: Any) -> bytes:
    try:
        return json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True).encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can hold and UTF-8 cannot
        return json.dumps(notebook, indent=1, sort_keys=True).encode()
