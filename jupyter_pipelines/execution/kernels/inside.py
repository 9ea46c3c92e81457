"""Runs inside every ipykernel that executes a pipeline. Standard library only, loaded by path, imports nothing of ours.

ipykernel catches what C code and child processes write to descriptors 1 and 2 with a thread that reads pipes; whether
that lands in the cell that caused it is a race. Here a cell ends when what it wrote has been taken.
"""

import sys
import time


def settle_output(*_):
    """Wait until ipykernel's threads have taken what is in the pipes behind descriptors 1 and 2."""
    import array
    import fcntl
    import termios

    waiting = array.array("i", [0])
    for stream in (sys.stdout, sys.stderr):
        pipe = getattr(stream, "_fid", None)
        if pipe is None:
            continue
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            fcntl.ioctl(pipe, termios.FIONREAD, waiting, True)
            time.sleep(0.0002)  # lets the reading thread hand over what it has just read
            if not waiting[0]:
                break
        stream.flush()


def install(shell):
    """Have ``shell`` do this at the end of each cell."""
    if sys.platform != "win32":
        shell.events.register("post_run_cell", settle_output)
