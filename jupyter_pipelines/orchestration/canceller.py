"""Cancelling runs in the background: a run has seconds to end by itself, and nobody else is to wait for it."""

from __future__ import annotations

import threading
import traceback
from pathlib import Path

from jupyter_pipelines.errors import PipelinesError
from jupyter_pipelines.orchestration.records import read_record
from jupyter_pipelines.orchestration.service.endpoint import Endpoint
from jupyter_pipelines.orchestration.service.wake import LOOK, tell_worker
from jupyter_pipelines.orchestration.submission import cancel_run
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store


class Canceller:
    """Cancels runs for a duty of the worker of ``home``, which may ask for the same run as often as it likes."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._at_work: dict[str, threading.Thread] = {}

    def cancel(self, run_id: str, settings: Settings, endpoint: Endpoint) -> None:
        """Have a run cancelled, unless it is being cancelled; returns at once. The worker is told of its end."""
        self._at_work = {other: thread for other, thread in self._at_work.items() if thread.is_alive()}
        if run_id not in self._at_work:
            work = threading.Thread(target=self._cancel, args=(run_id, settings, endpoint), daemon=True)
            self._at_work[run_id] = work
            work.start()

    def _cancel(self, run_id: str, settings: Settings, endpoint: Endpoint) -> None:
        run = read_record(Store(settings.store), run_id)
        if run is None or run.state not in {"pending", "running"}:
            return
        try:
            cancel_run(run, settings, endpoint)
        except PipelinesError:  # no server: whoever wants it cancelled asks again
            traceback.print_exc()
        finally:
            tell_worker(self._home, LOOK)
