"""``python -m jupyter_pipelines.orchestration.service.probe HOME``: says who started this process, and ends.

Asked for as a run is, it tells whether runs are forked from the launcher.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main(_home: Path) -> None:
    """Print the process that this one was forked from."""
    print(os.getppid())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
