"""``python -m jupyter_pipelines.verification.process ID``: one verification, with its parameters as JSON on stdin."""

from __future__ import annotations

import json
import sys

from jupyter_pipelines.verification.background import carry_out

if __name__ == "__main__":
    carry_out(sys.argv[1], json.loads(sys.stdin.buffer.read() or b"{}"))
