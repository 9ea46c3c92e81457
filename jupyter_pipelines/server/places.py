"""Notebooks as clients name them, by the contents manager's paths, and where they are on disk.

Nothing outside the server's root directory is read, run, scheduled or shown, whatever a path or a link says; nor are
hidden files, unless the contents manager allows them.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_pipelines.server.refusals import RefusedError

if TYPE_CHECKING:
    from tornado.web import RequestHandler


@dataclass(frozen=True)
class Places:
    """The server's root directory. ``root`` has no links in it; ``given`` is how the server was told of it."""

    root: Path
    given: Path
    allow_hidden: bool = False

    @classmethod
    def of(cls, handler: RequestHandler) -> Places:
        """Those of the server that ``handler`` belongs to."""
        contents = handler.settings.get("contents_manager")
        given = getattr(contents, "root_dir", "") or handler.settings.get("server_root_dir", "")
        if not given:
            raise RefusedError(
                HTTPStatus.NOT_IMPLEMENTED,
                "The files of this server are not on its disk, so the notebooks cannot be run as pipelines.",
            )
        path = Path(given).expanduser().absolute()
        return cls(Path(os.path.realpath(path)), path, bool(getattr(contents, "allow_hidden", False)))

    @property
    def folders(self) -> tuple[str, ...]:
        """The root directory in both spellings."""
        return tuple(dict.fromkeys((str(self.root), str(self.given))))

    def file(self, path: str, field: str = "notebook") -> Path:
        """The file that a contents path means, whether there is one or not. Raises :class:`RefusedError`."""
        from jupyter_pipelines.orchestration.versions.paths import is_safe

        path = path.removesuffix("/")
        if not is_safe(path) or os.path.splitdrive(path)[0]:
            raise RefusedError(
                HTTPStatus.BAD_REQUEST,
                f"{path!r} is not the path of a file below the server's root directory.",
                "Give a path such as reports/sales.ipynb, relative to that directory and without `..`.",
                field,
            )
        found = self.root / path
        if self.shown(found) is None:
            raise RefusedError(HTTPStatus.NOT_FOUND, f"There is no file {path!r}.", "Check the path.", field)
        return found

    def shown(self, file: Path | str) -> str | None:
        """The contents path of a file; ``None`` for one that this server does not show."""
        path = Path(file)
        relative = next((path.relative_to(root) for root in map(Path, self.folders) if path.is_relative_to(root)), None)
        if relative is None or ".." in relative.parts or not relative.parts:
            return None
        real = os.path.realpath(path)
        if not Path(real).is_relative_to(self.root):
            return None
        hidden = any(part.startswith(".") for part in (*relative.parts, *Path(real).relative_to(self.root).parts))
        return None if hidden and not self.allow_hidden else relative.as_posix()

    def tidy(self, message: str) -> str:
        """``message`` with files below the root directory as clients know them."""
        for folder in sorted(self.folders, key=len, reverse=True):
            message = message.replace(f"{folder.rstrip(os.sep)}{os.sep}", "")
        return message
