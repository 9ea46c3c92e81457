"""``python -m jupyter_pipelines.warehouse.owner FILE``: become the owner of a warehouse, in the background.

What has become of it is told in one line of JSON on standard output: ``{"state": "ready"}``, ``{"state": "owned"}``
when another process is the owner, or ``{"state": "failed", "error": …}``.
"""

from __future__ import annotations

import os
import sys


def main(path: str) -> None:
    """Leave the process that has started this one, and own the warehouse until nobody needs it."""
    if os.fork():  # before anything is loaded: no threads yet
        os._exit(0)
    os.setsid()  # signals to the group of who started it, and the end of their terminal, do not come here
    from jupyter_pipelines.warehouse.owner.process import own

    own(path)


if __name__ == "__main__":
    main(sys.argv[1])
