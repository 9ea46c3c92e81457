"""Where alerts go: mail over SMTP, a web address that is sent JSON, and whatever else apprise knows.

::

    mailtos://USER@HOST:PORT/?to=ann@example.com,bob@example.com&password_file=/home/ann/.smtp
                                   SMTP with STARTTLS (port 587), or with TLS from the start on port 465;
                                   mailto:// for a server without TLS (port 25), from= for another sender
    https://HOST/PATH              is sent the alert as JSON
    slack://…  msteams://…         and all else that apprise knows, the web addresses that such services give out too
    file:PATH  env:NAME            any of these as it stands in a file or an environment variable

A destination may hold secrets. It leaves this module only as :func:`shown`, and no error repeats it.
"""

from __future__ import annotations

import ipaddress
import logging
import os
import re
import smtplib
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from http.client import HTTPException
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.orchestration.alerts import advice
from jupyter_pipelines.orchestration.alerts.model import Message

if TYPE_CHECKING:
    from http.client import HTTPMessage

    from apprise import NotifyBase

TIMEOUT: Final = 10.0  # seconds that a destination has to answer
MAIL: Final = {"mailto": 25, "mailtos": 587}
WEB: Final = frozenset({"http", "https"})
TLS_FROM_THE_START: Final = 465
HIDDEN: Final = "***"
_MAIL_OPTIONS: Final = frozenset({"to", "from", "password_file"})
_RECEIVERS: Final = "Check the addresses of those who are to get it."
_HELP: Final = (
    "Give mailtos://USER@HOST/?to=ann@example.com&password_file=PATH, https://…, slack://…, or any other address that "
    "apprise knows; file:PATH or env:NAME where it is to be taken from a file or an environment variable."
)


class NotTakenError(Exception):
    """The destination did not take a message; says why, without secrets, and in ``fix`` what to do."""

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.fix = fix


def kept_form(to: str) -> str:
    """What is kept of a destination that somebody gave: one in an environment variable is read now, a file's later.

    Raises :class:`RequestError` for what is no destination, or cannot be read.
    """
    to = to.strip()
    kind, _, name = to.partition(":")
    if kind == "env":
        if not os.environ.get(name):
            raise RequestError(f"The environment variable {name} is not set, or empty.", _HELP)
        to = os.environ[name].strip()
    elif kind == "file":
        to = f"file:{Path(os.path.expanduser(name)).absolute()}"
    elif urlsplit_or_refuse(to).password and kind in MAIL:
        raise RequestError(
            "A password on a command line can be read by everybody on this machine.",
            "Put it into a file that only you may read, and add &password_file=PATH; or put the whole destination into "
            "a file or an environment variable: file:PATH, env:NAME.",
        )
    check(to)
    # A web address that a messenger has given out is told from others now: to do so takes apprise, which is large.
    plugin = _apprise_plugin(to) if urlsplit(to).scheme in WEB else None
    return str(plugin.url()) if plugin is not None else to  # type: ignore[no-untyped-call]  # it has no annotations


def check(to: str) -> None:
    """Raise :class:`RequestError` when ``to`` is no destination, or what it is made of cannot be read."""
    try:
        found = _resolved(to)
        url = urlsplit_or_refuse(found)
        if url.scheme in MAIL:
            _envelope(url)
            _password(url)
        elif not ((url.scheme in WEB and url.hostname) or _apprise_plugin(found) is not None):
            named = f"{url.scheme}:{HIDDEN}" if url.scheme else "This"
            raise NotTakenError(f"{named} is nothing that alerts can be sent to")
    except NotTakenError as error:
        raise RequestError(f"{error}.", _HELP) from None


def send(to: str, message: Message) -> None:
    """Send ``message``. Raises :class:`NotTakenError`, and nothing else, when the destination did not take it."""
    try:
        _send(_resolved(to), message, told_apart=not to.startswith("file:"))
    except NotTakenError:
        raise
    except Exception as error:  # a plug-in may raise anything; the type says enough, the text may hold secrets
        raise NotTakenError(f"sending failed with {type(error).__name__}") from error


def shown(to: str) -> str:
    """The destination without its secrets: for mail without the password, else no more than the host."""
    if to.startswith("file:"):
        return to
    try:
        url = urlsplit(to)
        host = _host(url)
    except ValueError:
        return f"{to.partition(':')[0]}:{HIDDEN}"
    if url.scheme in MAIL:
        return f"{url.scheme}://{host}/?to={','.join(_mail_options(url).get('to', []))}"
    if url.scheme in WEB:
        return f"{url.scheme}://{host}/{HIDDEN}"
    return f"{url.scheme}://{HIDDEN}"


def urlsplit_or_refuse(to: str) -> SplitResult:
    """The parts of a URL. Raises :class:`RequestError` when it is none."""
    try:
        url = urlsplit(to)
        url.port  # noqa: B018 - raises when it is no number
    except ValueError:
        raise RequestError(f"{to.partition(':')[0]}:{HIDDEN} is no address.", _HELP) from None
    return url


def _resolved(to: str) -> str:
    """The destination itself, where ``to`` says in which file it is."""
    if not to.startswith("file:"):
        return to
    path = Path(to.removeprefix("file:"))
    url = _read_secret(path)
    if not url or url.startswith("file:"):
        raise NotTakenError(f"{path} holds no destination")
    return url


def _read_secret(path: Path) -> str:
    try:
        return Path(os.path.expanduser(path)).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise NotTakenError(f"{path} cannot be read: {getattr(error, 'strerror', None) or 'not UTF-8'}") from error


def _send(to: str, message: Message, *, told_apart: bool) -> None:
    """Send to the address ``to``; see :func:`kept_form` for ``told_apart``."""
    url = urlsplit_or_refuse(to)
    if url.scheme in MAIL:
        _send_mail(url, message)
        return
    plugin = None if told_apart and url.scheme in WEB else _apprise_plugin(to)
    if plugin is not None:
        _send_by_apprise(plugin, to, message)
    elif url.scheme in WEB:
        _post(to, url, message)
    else:
        raise NotTakenError(f"{url.scheme}:{HIDDEN} is nothing that alerts can be sent to")


def _host(url: SplitResult) -> str:
    return (url.hostname or "") + (f":{url.port}" if url.port else "")


# Mail


def _mail_options(url: SplitResult) -> dict[str, list[str]]:
    found = parse_qs(url.query)
    listed = [address.strip() for value in found.get("to", []) for address in value.split(",") if address.strip()]
    return found | {"to": listed}


def _envelope(url: SplitResult) -> tuple[str, list[str]]:
    """Sender and receivers. Raises :class:`NotTakenError` when the address lacks something."""
    options = _mail_options(url)
    unknown = set(options) - _MAIL_OPTIONS
    user = unquote(url.username or "")
    sender = options.get("from", [user if "@" in user else f"jupyter-pipelines@{socket.gethostname()}"])[-1]
    if not url.hostname:
        raise NotTakenError("The mail server's name is missing")
    if unknown:
        raise NotTakenError(f"Mail has no option {', '.join(sorted(unknown))}; it has {', '.join(_MAIL_OPTIONS)}")
    if not options["to"]:
        raise NotTakenError("It is not said to whom the mail goes (?to=ann@example.com)")
    for address in (sender, *options["to"]):
        if not re.fullmatch(r"[^\s@<>,]+@[^\s@<>,]+", address):
            raise NotTakenError(f"{address} is no mail address")
    return sender, options["to"]


def _password(url: SplitResult) -> str:
    file = _mail_options(url).get("password_file")
    if not file:
        return unquote(url.password or "")
    path = Path(os.path.expanduser(file[-1]))
    if not path.is_absolute():
        raise NotTakenError(f"password_file is {path}, and the service works in another folder: give its whole path")
    return _read_secret(path)


def _send_mail(url: SplitResult, message: Message) -> None:
    sender, receivers = _envelope(url)
    mail = EmailMessage()
    mail["Subject"] = " ".join(message.title.split())
    mail["From"], mail["To"] = sender, ", ".join(receivers)
    mail["Message-ID"] = f"<{message.key}@jupyter-pipelines>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's out-of-office answers it
    mail.set_content(message.text)
    host, port, user, password = url.hostname or "", url.port or MAIL[url.scheme], url.username, _password(url)
    try:
        with _connected(url.scheme, host, port) as server:
            if user:
                if url.scheme == "mailto" and not _is_loopback(host):
                    raise NotTakenError(f"{host} would be sent a password without encryption: use mailtos://")
                server.login(unquote(user), password)
            refused = server.send_message(mail, sender, receivers)
    except smtplib.SMTPResponseException as error:
        said = f"{host}:{port} answered {error.smtp_code} {_without(error.smtp_error, password)}"
        raise NotTakenError(said.rstrip(), advice.after_mail_answer(error.smtp_code)) from error
    except smtplib.SMTPRecipientsRefused as error:
        raise NotTakenError(f"{host}:{port} refused {', '.join(error.recipients)}", _RECEIVERS) from error
    except (OSError, smtplib.SMTPException) as error:
        # A server that says nothing is to smtplib one that has hung up.
        fault = error.__context__ if isinstance(error.__context__, TimeoutError) else error
        raise NotTakenError(_fault(f"{host}:{port}", fault, password), advice.after_fault(fault)) from error
    if refused:
        raise NotTakenError(f"{host}:{port} refused {', '.join(refused)}, and took it for the others", _RECEIVERS)


def _connected(scheme: str, host: str, port: int) -> smtplib.SMTP:
    if scheme == "mailtos" and port == TLS_FROM_THE_START:
        return smtplib.SMTP_SSL(host, port, timeout=TIMEOUT, context=ssl.create_default_context())
    server = smtplib.SMTP(host, port, timeout=TIMEOUT)
    if scheme == "mailtos":
        try:
            server.starttls(context=ssl.create_default_context())
        except BaseException:
            server.close()
            raise
    return server


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


# The web


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """What we send may hold a secret in its address, and is for this address alone."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        return None


def _post(to: str, url: SplitResult, message: Message) -> None:
    import json
    from base64 import b64encode

    host = _host(url)
    address = url._replace(netloc=host).geturl()
    body = json.dumps({**message.data, "key": message.key, "title": message.title, "text": message.text})
    request = urllib.request.Request(address, body.encode(), {"Content-Type": "application/json"})
    request.add_header("Idempotency-Key", message.key)
    request.add_header("User-Agent", "jupyter-pipelines")
    if url.username:
        pair = f"{unquote(url.username)}:{unquote(url.password or '')}"
        request.add_header("Authorization", f"Basic {b64encode(pair.encode()).decode()}")
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=TIMEOUT):
            return
    except urllib.error.HTTPError as error:
        error.close()
        said = f"{host} answered {error.code} {error.reason}"
        raise NotTakenError(said.rstrip(), advice.after_answer(error.code)) from error
    except (OSError, HTTPException, ValueError) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        fault = reason if isinstance(reason, BaseException) else error
        raise NotTakenError(_fault(host, fault, *_secrets_of(to)), advice.after_fault(fault)) from error


# Apprise


def _apprise_plugin(to: str) -> NotifyBase | None:
    """What apprise makes of the address; ``None`` when it knows no such service."""
    import apprise

    with _silenced():
        plugin = apprise.Apprise.instantiate(to, suppress_exceptions=True)
    return plugin if isinstance(plugin, apprise.NotifyBase) else None


def _send_by_apprise(plugin: NotifyBase, to: str, message: Message) -> None:
    import apprise

    kinds = {"failure": "failure", "late": "warning", "recovery": "success", "test": "info"}
    with _silenced(), apprise.LogCapture(level=logging.WARNING) as log:  # type: ignore[no-untyped-call]  # it has no annotations
        taken = plugin.notify(
            body=message.text, title=message.title, notify_type=apprise.NotifyType(kinds[message.event])
        )
        said = log.getvalue() if log is not None else ""
    if not taken:
        lines = " ".join(line.rpartition(" - ")[2].strip() for line in said.splitlines()[:2])
        fix = f"Compare the address with the one that {plugin.service_name} gave out, or have a new one made there."
        if "onnection error" in lines:  # so apprise calls whatever kept it from an answer
            fix = f"See whether this machine reaches {plugin.service_name}, through a proxy or firewall. {fix}"
        raise NotTakenError(f"{plugin.service_name} did not take it. {_without(lines, *_secrets_of(to))}".strip(), fix)


@contextmanager
def _silenced() -> Iterator[None]:
    """Keep apprise from logging addresses."""
    found = logging.getLogger("apprise")
    before = found.propagate
    found.propagate = False
    try:
        yield
    finally:
        found.propagate = before


def _secrets_of(to: str) -> list[str]:
    """All parts of an address that might be secret."""
    parts = re.split(r"[/:@?&=#]+", to)
    return sorted({text for part in parts for text in (part, unquote(part)) if len(text) > 3}, key=len, reverse=True)


def _fault(place: str, error: BaseException, *secrets: str) -> str:
    """Why ``place`` could not be asked."""
    if isinstance(error, TimeoutError):
        return f"{place} did not answer within {TIMEOUT:.0f} seconds"
    said = error.strerror if isinstance(error, socket.gaierror) else str(error)
    return f"{place}: {_without(said or type(error).__name__, *secrets)}"


def _without(text: str | bytes, *secrets: str) -> str:
    said = text.decode(errors="replace") if isinstance(text, bytes) else text
    for secret in secrets:
        if secret:
            said = said.replace(secret, HIDDEN)
    return " ".join(said.split())[:300]
