"""What all views have in common: a widget where there are widgets, HTML and text where there are none."""

from __future__ import annotations

from typing import Any

from jupyter_pipelines.errors import PipelinesError
from jupyter_pipelines.results.showing.html import framed, text

WIDGET = "application/vnd.jupyter.widget-view+json"
OURS = "application/vnd.jupyter-pipelines.view+json"  # has JupyterLab show the HTML where no kernel has the widget


class View:
    """Something to look at. The saved notebook keeps :meth:`html`; a kernel that lives shows :meth:`widget`."""

    def html(self) -> str:
        """What is to be seen now, as HTML."""
        raise NotImplementedError

    def text(self) -> str:
        """The same as text."""
        raise NotImplementedError

    def widget(self) -> Any:
        """The widget; ``None`` when there is nothing that a person could do with it."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return self.text()

    def _repr_mimebundle_(self, **_options: object) -> dict[str, object]:
        bundle: dict[str, object] = {"text/plain": self.text(), "text/html": self.html()}
        made = self.widget()
        if made is not None:
            view = made._repr_mimebundle_() or {}
            bundle |= {WIDGET: view[WIDGET], OURS: {}} if WIDGET in view else {}
        return bundle


def told(error: PipelinesError) -> str:
    """An error as HTML."""
    fix = f"<p>What to do: {text(error.fix)}</p>" if error.fix else ""
    return framed(f'<p class="failed">{text(error.message)}</p>{fix}')
