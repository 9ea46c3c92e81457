"""Brings this package into a kernel. Executed by a hidden cell with ``JOB`` and ``PHASE`` set, in its own namespace.

Without them it only loads the package, for kernels that are made ready ahead of need.
"""

import importlib.util
import os
import sys

NAME = "_jupyter_pipelines_kernel"

if NAME not in sys.modules:
    folder = os.path.dirname(os.path.abspath(__file__))
    spec = importlib.util.spec_from_file_location(
        NAME, os.path.join(folder, "__init__.py"), submodule_search_locations=[folder]
    )
    assert spec is not None
    assert spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules[NAME] = package
    spec.loader.exec_module(package)

session = importlib.import_module(NAME + ".session")
if "PHASE" in globals():
    session.run(globals()["PHASE"], globals()["JOB"])
