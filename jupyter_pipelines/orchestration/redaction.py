"""Secret parameters: their values are kept in one place, and everything else has a name that tells nothing.

A run's secret values are *sealed* before anything is written: each is put into ``secrets/`` of the store, a file of its
owner's alone, and its place is taken by a text such as ``***1f0c2a9b7d44``. That is what Prefect, the record of the
run, events, logs, alerts, reports and the executed notebook get to see. Where steps are run, and only there, the texts
are exchanged for the values again, so that a run can be resumed, and a schedule can have secrets.

One secret always has one text in one store, so that it shows whether two runs had the same; the text is made with a key
of the store's own, so that guesses cannot be tried on it. What a notebook prints, writes or hands on is its own affair,
but the errors of steps are shown without the secrets of their run.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from jupyter_pipelines.errors import RequestError, StoreError
from jupyter_pipelines.execution.model import StepResult
from jupyter_pipelines.notebook.model import NotebookDocument
from jupyter_pipelines.notebook.secrecy import HIDDEN, conceal, has_secret_name
from jupyter_pipelines.store import Store
from jupyter_pipelines.store.files import make_folder, write_atomically

SEALED: Final = re.compile(re.escape(HIDDEN) + r"([0-9a-f]{12})")
"""A text that stands for a secret; its group is the secret's name."""


def secret_names(document: NotebookDocument) -> frozenset[str]:
    """The parameters of a notebook whose values are secret."""
    return frozenset(parameter.name for parameter in document.parameters if parameter.secret)


def seal(
    store: Store, document: NotebookDocument, values: Mapping[str, object], *, expressions: bool = False
) -> dict[str, object]:
    """``values`` (JSON) with texts that tell nothing in place of secret ones. Raises :class:`StoreError`.

    With ``expressions`` texts that hold a ``{{`` are to be evaluated, and left as they are.
    """
    secret = {name for name in secret_names(document) if not (expressions and "{{" in str(values.get(name)))}
    return {name: _sealed(store, value) if name in secret else value for name, value in values.items()}


def unseal(store: Store, document: NotebookDocument, values: Mapping[str, object]) -> dict[str, object]:
    """The true values. Raises :class:`StoreError` when a secret is gone, :class:`RequestError` where it would show."""
    known = secret_names(document)
    shown = [name for name, value in values.items() if is_sealed(value) and name not in known]
    if shown:
        raise RequestError(
            f"{document.name} does not keep {', '.join(f'`{name}`' for name in shown)} secret (any more).",
            "Give the value again, or declare the parameter secret in the notebook: `name = ''  # secret`.",
        )
    return {name: _unsealed(store, name, value) for name, value in values.items()}


def is_sealed(value: object) -> bool:
    """Whether a value is a text that stands for a secret."""
    return isinstance(value, str) and SEALED.fullmatch(value) is not None


def shown_parameters(values: Mapping[str, object]) -> dict[str, object]:
    """``values`` for people, whatever they come from: what has a secret's name is hidden, unless it is sealed."""
    return {
        name: HIDDEN if isinstance(value, str) and value and has_secret_name(name) and not is_sealed(value) else value
        for name, value in values.items()
    }


def concealed(result: StepResult, values: Iterable[object]) -> StepResult:
    """How a step ended, its error and the samples of its checks without secret ``values``."""
    values = list(values)
    if values and result.checks:
        checks: list[dict[str, object]] = json.loads(conceal(json.dumps(result.checks), values))
        result = replace(result, checks=tuple(checks))
    if result.error is None or not values:
        return result
    error = result.error
    shown = replace(
        error,
        message=conceal(error.message, values),
        fix=conceal(error.fix, values),
        first_line=conceal(error.first_line, values),
        source=conceal(error.source, values),
        evalue=conceal(error.evalue, values),
        traceback=tuple(conceal(line, values) for line in error.traceback),
    )
    return replace(result, error=shown)


def _sealed(store: Store, value: object) -> object:
    if value is None or value == "" or is_sealed(value):  # nothing to hide; or hidden already
        return value
    content = json.dumps(value, sort_keys=True, default=str).encode()
    name = hmac.new(_key(store), content, hashlib.sha256).hexdigest()[:12]
    path = _folder(store) / name
    if not _note_use(path):
        write_atomically(path, content)
    return HIDDEN + name


def _unsealed(store: Store, name: str, value: object) -> object:
    if not is_sealed(value):
        return value
    path = _folder(store) / str(value).removeprefix(HIDDEN)
    try:
        content = path.read_bytes()
        _note_use(path)
        return json.loads(content)
    except (OSError, ValueError) as error:
        raise StoreError(
            f"The value of the secret parameter `{name}` is not in the store at {store.root}.",
            f"Give it again: run the notebook with {name}.",
        ) from error


def forget_secrets(store: Store, names: Iterable[str]) -> None:
    """Remove secrets that nothing stands for any more."""
    for name in names:
        with suppress(OSError):
            (_folder(store) / name).unlink(missing_ok=True)


def _note_use(path: Path) -> bool:
    """Note that a secret is used: it is not forgotten for a while. Says whether it is there."""
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    except OSError:  # a store that may only be read
        return True
    return True


def _key(store: Store) -> bytes:
    """The store's own key, made at its first use; who comes second takes the first one's."""
    path = _folder(store) / ".key"
    with suppress(FileNotFoundError):
        return path.read_bytes()
    make_folder(path.parent)
    made = path.with_name(f".key.{secrets.token_hex(8)}")
    write_atomically(made, secrets.token_bytes(32))
    try:
        with suppress(FileExistsError):
            os.link(made, path)  # whole at once, and never in place of another
    finally:
        made.unlink(missing_ok=True)
    return path.read_bytes()


def _folder(store: Store) -> Path:
    return store.root / "secrets"
