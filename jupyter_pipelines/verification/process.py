"""``python -m jupyter_pipelines.verification.process ID``: one verification, with its parameters as JSON on stdin."""

from __future__ import annotations

import json
import signal
import sys

from jupyter_pipelines.verification.background import carry_out

if __name__ == "__main__":
    # As Ctrl-C: runs are cancelled, and kernels and copies of folders go with them.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    carry_out(sys.argv[1], json.loads(sys.stdin.buffer.read() or b"{}"))
