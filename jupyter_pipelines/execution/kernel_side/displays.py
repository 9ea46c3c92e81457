"""What a step shows in the cells of others, or how: displays updated by their ids, formatters, figures left open."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from .definitions import is_of_notebook


class Displays:
    """Looks at what the shell shows from here on."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._shown: set[str] = set()
        self.updated: dict[str, None] = {}  # displays that are not of this step
        self._formatters = dict(self._own_formatters())
        self._figures = open_figures()
        publisher = shell.display_pub
        if hasattr(publisher, "register_hook"):
            publisher.register_hook(self._published)

    def _published(self, message: dict[str, Any]) -> dict[str, Any]:
        identity = message["content"].get("transient", {}).get("display_id")
        if identity is not None and message["header"]["msg_type"] == "display_data":
            self._shown.add(identity)
        elif identity is not None and identity not in self._shown:
            self.updated[identity] = None
        return message

    def stop(self) -> None:
        """Look no more."""
        publisher = self._shell.display_pub
        if hasattr(publisher, "unregister_hook"):
            publisher.unregister_hook(self._published)

    def new_formatters(self) -> Iterator[str]:
        """The types for which the notebook has said how to show them since."""
        for (name, kind), function in self._own_formatters():
            if self._formatters.get((name, kind)) is not function:
                yield kind.__name__ if isinstance(kind, type) else str(kind)

    def left_open(self) -> list[int]:
        """The numbers of the figures that pyplot has open and had not. Inline ones are closed at the end of a cell."""
        return [number for number in open_figures() if number not in self._figures]

    def _own_formatters(self) -> Iterator[tuple[tuple[str, Any], Any]]:
        formatter = getattr(self._shell, "display_formatter", None)
        for name, one in getattr(formatter, "formatters", {}).items():
            for printers in ("type_printers", "singleton_printers", "deferred_printers"):
                for kind, function in getattr(one, printers, {}).items():
                    if is_of_notebook(function) or getattr(function, "__module__", None) == "__main__":
                        yield (name, kind), function


def open_figures() -> list[int]:
    """What pyplot's state is about; none where nobody has imported it."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    return list(pyplot.get_fignums()) if pyplot is not None else []
