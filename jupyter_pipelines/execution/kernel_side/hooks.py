"""What a step has IPython do with each cell from then on: callbacks and transformers that the notebook registers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .definitions import is_of_notebook

_TRANSFORMERS = "input_transformers_cleanup", "input_transformers_post", "ast_transformers"  # of the shell


class Hooks:
    """Looks at what is registered from here on."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._before = dict(self._registered())  # holds them, so that no other object gets their addresses

    def added(self) -> Iterator[str]:
        """What has been registered since, as a message names it."""
        for key, hook in self._registered():
            if self._before.get(key) is not hook:
                yield key[0]

    def _registered(self) -> Iterator[tuple[tuple[str, Any], Any]]:
        events = getattr(self._shell, "events", None)
        for event, callbacks in getattr(events, "callbacks", {}).items():
            for callback in callbacks:
                if _of_notebook(callback):
                    yield (f"a callback for `{event}`", id(callback)), callback
        for attribute in _TRANSFORMERS:
            for one in getattr(self._shell, attribute, ()):
                if _of_notebook(one):
                    yield ("a transformer of cells", id(one)), one


def _of_notebook(hook: Any) -> bool:
    function = getattr(hook, "__func__", hook)
    return is_of_notebook(function) or "__main__" in {
        getattr(function, "__module__", None),
        getattr(type(getattr(hook, "__self__", hook)), "__module__", None),
    }
