"""Secrets by name: the file of sources says where they are kept, and they are asked for when they are needed.

``env:NAME`` is a variable of the environment, ``keyring:service/user`` an entry of the system's keyring, and
``prefect:name`` a block of Prefect's type Secret. What was found is remembered for one thing: to be left out of errors.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from typing import Any, Final

from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.notebook.secrecy import conceal
from jupyter_pipelines.notebook.table_names import quoted, text_literal
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store.files import read_json

FORMS: Final = '"env:NAME", "keyring:service/user" or "prefect:block-name"'
_REFERENCE: Final = re.compile(r"(env|keyring|prefect):(.+)", re.DOTALL)
_PATIENCE: Final = 10.0  # seconds for Prefect's server to answer
_known: set[str] = set()


def is_reference(value: object) -> bool:
    """Whether a value says where a secret is kept."""
    return isinstance(value, str) and _REFERENCE.fullmatch(value) is not None


def find_secret(reference: str, whose: str) -> str:
    """The secret that ``reference`` names, for ``whose``, as in "the source crm". Raises :class:`RequestError`."""
    found = _REFERENCE.fullmatch(reference)
    assert found is not None
    value = _KEEPERS[found[1]](found[2].strip(), whose)
    keep_out_of_errors(value)
    return value


def keep_out_of_errors(*values: object) -> None:
    """Have :func:`without_secrets` leave these out."""
    _known.update(value for value in values if isinstance(value, str) and value)


def without_secrets(text: str) -> str:
    """``text`` without all secrets that this process has got to know."""
    return conceal(text, _known) if _known else text


def make_secret(connection: Any, name: str, kind: str, values: Mapping[str, str]) -> None:
    """Have DuckDB keep what it needs for a connection, in memory, so that no text that anybody keeps has it.

    ``kind`` is DuckDB's type of secrets, such as "postgres"; ``values`` are called as it calls them.
    """
    listed = "".join(f", {key} {text_literal(value)}" for key, value in values.items())
    connection.execute(f"CREATE OR REPLACE TEMPORARY SECRET {quoted(name)} (TYPE {kind}{listed})")


def _from_environment(name: str, whose: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise RequestError(
            f"{_beginning(whose)} needs the environment variable {name}, which is not set.",
            "Set it where the notebook runs; for runs of the service, where `jupyter pipelines up` is started.",
        )
    return value


def _from_keyring(name: str, whose: str) -> str:
    service, slash, user = name.rpartition("/")
    if not slash:
        raise RequestError(f"{_beginning(whose)} names the keyring's entry {name!r}.", "Write keyring:service/user.")
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        raise RequestError(
            f"{_beginning(whose)} has a secret in the keyring, which cannot be read: keyring is not installed.",
            "Install it: pip install keyring.",
        ) from None
    try:
        value = keyring.get_password(service, user)
    except KeyringError as error:
        raise RequestError(f"The keyring cannot be read for {whose}: {error}.") from None
    if not value:
        raise RequestError(
            f"The keyring has nothing for {name}, which {whose} needs.",
            f"Put it there: keyring set {service} {user}.",
        )
    return str(value)


def _from_prefect(name: str, whose: str) -> str:
    """The value of a Secret block. Asked for by plain HTTP: loading Prefect takes longer, and may start a server."""
    import urllib.error
    import urllib.parse
    import urllib.request
    from base64 import b64encode
    from http.client import HTTPException

    recorded = read_json(Settings.load().home / "endpoint.json")
    of_service = recorded if isinstance(recorded, dict) else {}
    url = os.environ.get("PREFECT_API_URL") or of_service.get("api_url")
    if not url:
        raise RequestError(
            f"{_beginning(whose)} has a secret in the Prefect block {name}, and no Prefect server is known.",
            "Start the service (`jupyter pipelines up`), or set PREFECT_API_URL.",
        )
    path = f"/block_types/slug/secret/block_documents/name/{urllib.parse.quote(name, safe='')}?include_secrets=true"
    request = urllib.request.Request(str(url).rstrip("/") + path)
    if auth := os.environ.get("PREFECT_API_AUTH_STRING") or of_service.get("auth"):
        request.add_header("Authorization", f"Basic {b64encode(str(auth).encode()).decode()}")
    elif key := os.environ.get("PREFECT_API_KEY") or of_service.get("key"):
        request.add_header("Authorization", f"Bearer {key}")
    try:
        with urllib.request.urlopen(request, timeout=_PATIENCE) as response:
            value = json.loads(response.read())["data"]["value"]
    except urllib.error.HTTPError as error:
        raise RequestError(
            f"Prefect gives no Secret block {name}, which {whose} needs: {error.code} {error.reason}.",
            f"Make it: Secret(value=…).save({name!r}), of prefect.blocks.system.",
        ) from None
    except (OSError, HTTPException, ValueError, KeyError, TypeError):
        raise RequestError(
            f"The Prefect server with the secret of {whose} does not answer.",
            "`jupyter pipelines status` says how the service is.",
        ) from None
    return value if isinstance(value, str) else json.dumps(value)


def _beginning(whose: str) -> str:
    """``whose`` where a sentence begins."""
    return whose[:1].upper() + whose[1:]


_KEEPERS: Final = {"env": _from_environment, "keyring": _from_keyring, "prefect": _from_prefect}
