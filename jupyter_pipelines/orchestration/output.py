"""The copy of the executed notebook that ``--output`` asks for."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from jupyter_pipelines.errors import RequestError, StoreError


def check_output(output: Path, notebook: Path) -> None:
    """See to it, before anything runs, that ``output`` can be written; its folder is made where it is missing.

    Raises :class:`RequestError` that says why it cannot be, or that it is the notebook itself.
    """
    try:
        if output.is_dir():
            raise RequestError(f"The output {output} is a folder.", f"Name a file in it: {output / notebook.name}")
        if output.absolute() == notebook.absolute() or (output.exists() and output.samefile(notebook)):
            raise RequestError("The output would overwrite the notebook.", "Choose another path for --output.")
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=output.parent, prefix=f".{output.name[:40]}."):
            pass
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        reason = getattr(error, "strerror", None) or str(error)
        raise RequestError(f"The output {output} cannot be written: {reason}.", "Choose another place.") from None


def copy_output(executed: str, output: Path) -> None:
    """Put a copy of the executed notebook at ``output``, whole or not at all. Raises :class:`StoreError`."""
    temporary = output.with_name(f".{output.name[:40]}.{os.getpid()}")
    try:
        shutil.copyfile(executed, temporary)
        temporary.replace(output)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise StoreError(
            f"The run has ended, but its notebook could not be copied to {output}: {error.strerror}.",
            f"It is at {executed}.",
        ) from None
