"""``%pipeline``: the graph of the notebook one is in, drawn where one is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class

if TYPE_CHECKING:
    from jupyter_pipelines.graph.model import Pipeline


@dataclass(frozen=True)
class Drawing:
    """A compiled notebook as a picture, with its text form for front ends without pictures."""

    pipeline: Pipeline

    def _repr_mimebundle_(self, **_options: object) -> dict[str, str]:
        from jupyter_pipelines.graph import render

        return {"image/svg+xml": render(self.pipeline, "svg"), "text/plain": render(self.pipeline, "text")}


@magics_class
class PipelineMagics(Magics):
    """The magics that show the pipeline."""

    @line_magic
    def pipeline(self, line: str) -> Drawing:
        """Draw the steps of a notebook, as it was last saved.

        %pipeline [NB]

        Without NB: the notebook that this kernel belongs to, where Jupyter or VS Code tell which one that is.
        """
        from jupyter_pipelines.errors import PipelinesError
        from jupyter_pipelines.orchestration import load

        names = self.shell.user_ns if self.shell is not None else {}
        path = notebook_path(line, names, os.environ)
        try:
            pipeline = load(path)
        except PipelinesError as error:
            raise UsageError(str(error)) from None
        for diagnostic in pipeline.errors:
            print(diagnostic.render(path.name))
        return Drawing(pipeline)


def notebook_path(line: str, names: Mapping[str, object], environment: Mapping[str, str]) -> Path:
    """The notebook that is meant: the one named in ``line``, else the one the kernel was started for.

    VS Code leaves its path in a variable, Jupyter Server (2.0 and later) in the environment. Raises
    :class:`UsageError` where nothing tells.
    """
    named = line.strip().strip("\"'")
    if named:
        return Path(os.path.expanduser(named))
    for told in (names.get("__vsc_ipynb_file__"), environment.get("JPY_SESSION_NAME")):
        if not isinstance(told, str) or not told:
            continue
        # Jupyter tells a path that may begin at its own root; the kernel runs in the notebook's folder.
        for path in (Path(told), Path(Path(told).name)):
            if path.is_file():
                return path
    raise UsageError("this kernel cannot tell which notebook it belongs to; name it: %pipeline NB")
