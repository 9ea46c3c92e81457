"""Triggers by token: who has it can have the trigger's pipeline run, and nothing else.

A token is ``jpt_ID_SECRET``; of the secret only the digest is kept, so that who reads the record cannot use it.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import secrets
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from jupyter_pipelines.errors import PipelinesError, RequestError
from jupyter_pipelines.orchestration.redaction import seal
from jupyter_pipelines.orchestration.triggers.model import ByToken, Occurrence, TriggerRecord
from jupyter_pipelines.orchestration.triggers.shelf import Shelf
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store

RATE: Final = 60  # requests a minute with a trigger's token, and so many at once
WRONG_RATE: Final = 30  # the same for wrong tokens, all together
MOST_WAITING: Final = 1000
LONGEST_KEY: Final = 200


class RefusedError(PipelinesError):
    """A request by token that is refused: ``status`` is HTTP's, ``field`` what it is about, ``retry_after`` seconds."""

    def __init__(self, status: int, message: str, *, field: str = "", retry_after: int = 0) -> None:
        super().__init__(message)
        self.status = status
        self.field = field
        self.retry_after = retry_after


@dataclass(frozen=True)
class Asked:
    """What became of a request: the occurrence, and its run when there is one already. ``new``: it was not known."""

    trigger: str
    occurrence: str
    run: str
    new: bool


def new_token(trigger_id: str) -> tuple[str, str]:
    """A token for the trigger, and the digest to keep of it."""
    secret = secrets.token_urlsafe(32)
    return f"jpt_{trigger_id}_{secret}", digest_of(secret)


def digest_of(secret: str) -> str:
    """What is kept of a secret. It is as random as a key, so a fast digest is as good as a slow one."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


class Bucket:
    """Lets ``rate`` things a minute pass, and as many at once. Thread-safe; ``clock`` gives seconds."""

    def __init__(self, rate: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate / 60
        self._most = float(rate)
        self._left = self._most
        self._clock = clock
        self._at = clock()
        self._lock = threading.Lock()

    def take(self) -> int:
        """Take one; 0 when there was one, else in how many seconds there will be."""
        with self._lock:
            now = self._clock()
            self._left = min(self._most, self._left + (now - self._at) * self._rate)
            self._at = now
            if self._left >= 1:
                self._left -= 1
                return 0
            return math.ceil((1 - self._left) / self._rate)


class Gate:
    """Lets requests by token in, at their rates. One for a process that serves them."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._wrong = Bucket(WRONG_RATE, clock)
        self._buckets: dict[str, Bucket] = {}

    def fire(
        self, token: str, parameters: Mapping[str, object] | Callable[[], Mapping[str, object]], key: str = ""
    ) -> Asked:
        """Have the trigger whose ``token`` it is run once with ``parameters`` beside its own.

        They may be a function, which is called once who asks was let in. Requests with the same ``key`` are one. The
        request is kept before this returns: it runs as soon as the service does. Raises :class:`RefusedError`.
        """
        record = self._let_in(token)
        if len(key) > LONGEST_KEY:
            raise RefusedError(
                400, f"An idempotency key has at most {LONGEST_KEY} characters.", field="Idempotency-Key"
            )
        settings = Settings.load()
        shelf = Shelf(settings.home)
        occurrence = Occurrence(
            hashlib.sha256((key or uuid.uuid4().hex).encode("utf-8", "surrogatepass")).hexdigest()[:32],
            time.time(),
            parameters=check(record, parameters() if callable(parameters) else parameters),
        )
        progress = shelf.progress(record)
        if progress.knows(occurrence.key):
            return Asked(record.id, occurrence.key, progress.runs.get(occurrence.key, ""), False)
        asked = shelf.asked(record.id)
        if any(one.key == occurrence.key for one in asked):
            return Asked(record.id, occurrence.key, "", False)
        if record.paused:
            raise RefusedError(409, f"Trigger {record.id} is paused.")
        if len(asked) + len(progress.waiting) >= MOST_WAITING:
            raise RefusedError(429, f"{MOST_WAITING:,} requests wait already.", retry_after=60)
        shelf.ask(record, occurrence)
        from jupyter_pipelines.orchestration.service.wake import LOOK, tell_worker

        tell_worker(settings.home, LOOK)
        return Asked(record.id, occurrence.key, "", True)

    def _let_in(self, token: str) -> TriggerRecord:
        """The trigger whose token it is. What is wrong with a token is not told."""
        trigger_id, _, secret = token.removeprefix("jpt_").partition("_")
        records = {record.id: record for record in Shelf(Settings.load().home).records()}
        record = records.get(trigger_id)
        cause = record.cause if record is not None else None
        kept = cause.digest if isinstance(cause, ByToken) else digest_of("nobody's")
        same = hmac.compare_digest(kept, digest_of(secret))
        if not same or record is None or not token.startswith("jpt_"):
            if wait := self._wrong.take():
                raise RefusedError(429, "Too many wrong tokens.", retry_after=wait)
            raise RefusedError(401, "The token is not that of a trigger.")
        if wait := self._buckets.setdefault(record.id, Bucket(RATE, self._clock)).take():
            raise RefusedError(429, f"At most {RATE} requests a minute.", retry_after=wait)
        return record


def check(record: TriggerRecord, parameters: Mapping[str, object]) -> dict[str, object]:
    """``parameters`` in JSON form, of the types that the notebook declares. Raises :class:`RefusedError`."""
    from jupyter_pipelines.notebook import coerce_parameters, parameters_json
    from jupyter_pipelines.orchestration.triggers.making import document_of

    try:
        document = document_of(record)
    except PipelinesError as error:
        raise RefusedError(409, f"The notebook cannot run now: {error.message}") from error
    checked: dict[str, object] = {}
    for name, value in parameters.items():
        try:
            checked |= parameters_json(document, coerce_parameters(document, {name: value}, partial=True))
        except RequestError as error:
            raise RefusedError(422, error.message, field=name) from error
    missing = [
        parameter.name
        for parameter in document.parameters
        if parameter.required and parameter.name not in {*parameters, *record.parameters}
    ]
    if missing:
        raise RefusedError(422, f"Parameter `{missing[0]}` has no default and was not given.", field=missing[0])
    return seal(Store(record.store), document, checked)
