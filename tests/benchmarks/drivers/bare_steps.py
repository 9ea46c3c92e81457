"""Our step runner without a server: the steps in notebook order, several times. Arguments: REPEAT NOTEBOOK OBJECTS

Each round tells the seconds of each step; the kernels are made ready as a run would have them.
"""

import json
import sys
import threading
import time
from pathlib import Path

_, repeat, path, objects = sys.argv[1:]

import nbformat  # noqa: E402

import jupyter_pipelines as jp  # noqa: E402
from jupyter_pipelines.execution import prepare_kernels, run_step  # noqa: E402
from jupyter_pipelines.execution.model import StepRequest  # noqa: E402

source = Path(path).read_bytes()
pipeline = jp.compile_pipeline(jp.read_notebook(source, path))
notebook = nbformat.reads(source.decode(), as_version=4)
folder = Path(path).parent

rounds = []
for _ in range(int(repeat)):
    prepare_kernels(pipeline, pipeline.steps, folder)
    carried, state, seconds = {}, {}, []
    for step in pipeline.steps:
        started = time.perf_counter()
        request = StepRequest(
            "benchmark",
            pipeline,
            step,
            notebook,
            {},
            {given.name: carried[given.producer][given.name] for given in step.inputs},
            {name: state[producer][name] for name, producer in step.state_inputs.items()},
            folder,
            Path(objects),
        )
        result = run_step(request, lambda _: None, threading.Event())
        if result.state != "completed":
            sys.exit(f"step {step.name} {result.state}: {result.error}")
        carried[step.name], state[step.name] = result.outputs, result.state_outputs
        seconds.append(time.perf_counter() - started)
    rounds.append(seconds)
print(json.dumps(rounds))
