"""The folder of a notebook as a git ref has it. The git command is asked; nothing in the repository is changed."""

from __future__ import annotations

import os
import re
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Final

from jupyter_pipelines.errors import RequestError

TIMEOUT: Final = 120.0  # seconds for one command
_NO_REF: Final = re.compile(r"^[-.]|[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|[./]$")
# Neither hooks nor a file system monitor are to be started, nor anybody asked for a password.
_QUIET: Final = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "protocol.allow=never")


def check_ref(ref: str) -> None:
    """Raise :class:`RequestError` for what cannot be the name of a branch, a tag or another ref."""
    if not isinstance(ref, str) or not ref or len(ref) > 250 or _NO_REF.search(ref):
        raise RequestError(f"{ref!r:.80} is no name of a git ref.", "Name a branch or a tag, such as main.")


def folder_at(folder: Path, ref: str) -> tuple[str, str]:
    """What names the content of ``folder`` at ``ref`` (a git tree), and the commit. Raises :class:`RequestError`."""
    check_ref(ref)
    prefix = _git(folder, "rev-parse", "--show-prefix").strip("\n").rstrip("/")
    commit = _git(folder, "rev-parse", "--verify", "--end-of-options", f"{ref}^{{commit}}").strip()
    tree = _git(folder, "rev-parse", "--verify", "--end-of-options", f"{commit}:{prefix}").strip()
    return tree, commit


def export(folder: Path, tree: str, target: Path) -> None:
    """Write the files of a git tree of the repository of ``folder`` into ``target``. Raises :class:`RequestError`."""
    with tempfile.TemporaryFile(dir=target) as archive:
        _git(folder, "archive", "--format=tar", tree, output=archive.fileno())
        archive.seek(0)
        try:
            with tarfile.open(fileobj=archive) as files:
                files.extractall(target, filter="data")  # no link, and no name, leads out of it
        except (tarfile.TarError, OSError) as error:
            raise RequestError(f"What git has of {folder} cannot be unpacked: {error}.") from error


def _git(folder: Path, *words: str, output: int | None = None) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "PREFECT_"))}
    environment |= {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            ["git", *_QUIET, "-C", str(folder), *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if output is None else output,
            stderr=subprocess.PIPE,
            env=environment,
            timeout=TIMEOUT,
            check=False,
        )
    except FileNotFoundError:
        raise RequestError("git is not installed.", "Install it, or follow the file.") from None
    except subprocess.TimeoutExpired:
        raise RequestError(f"git took longer than {TIMEOUT:.0f} s in {folder}.") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().removeprefix("fatal: ")
        raise RequestError(f"git in {folder}: {said or f'exit code {done.returncode}'}.", "Check the ref and the path.")
    return (done.stdout or b"").decode("utf-8", "surrogateescape")
