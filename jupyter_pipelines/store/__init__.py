"""What runs leave behind: content-addressed objects, run records, step results to reuse, observations.

The store is a folder. Everything in it is written atomically, so a process killed at any moment leaves either the old
content or the new, and whatever was announced can be read.
"""

from jupyter_pipelines.store.store import Store, StoredResult

__all__ = ["Store", "StoredResult"]
