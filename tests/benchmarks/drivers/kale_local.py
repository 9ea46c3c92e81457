"""Runs the pipeline that Kale compiled with kfp's local runner, in processes instead of containers. Argument: FILE"""

import importlib.util
import sys

from kfp import local
from kfp.dsl.graph_component import GraphComponent

local.init(runner=local.SubprocessRunner(use_venv=False), pipeline_root="root")
spec = importlib.util.spec_from_file_location("compiled", sys.argv[1])
compiled = importlib.util.module_from_spec(spec)
spec.loader.exec_module(compiled)
next(value for value in vars(compiled).values() if isinstance(value, GraphComponent))()
