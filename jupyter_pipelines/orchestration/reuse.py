"""Taking a step's result from an earlier run: only where everything it depended on is the same.

A step's key is made of its source, setup and replayed definitions, the parameters it mentions, its environment, local
modules beside the notebook, and the *content* of its inputs. Beside the result stand fingerprints of the files the step
read and wrote; they must still hold.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from pathlib import Path

import xxhash

from jupyter_pipelines.execution.model import Carried, StepResult
from jupyter_pipelines.graph.model import Pipeline, StepPlan
from jupyter_pipelines.graph.replay import STATE
from jupyter_pipelines.notebook.model import Role
from jupyter_pipelines.orchestration.memory import observed_from
from jupyter_pipelines.orchestration.progress import Progress, Start
from jupyter_pipelines.store import Store, StoredResult


def step_key(
    pipeline: Pipeline, step: StepPlan, start: Start, parameters: Mapping[str, object], directory: Path
) -> str:
    """The key of all that ``step`` depends on, as 32 hexadecimal digits."""
    words = Counter(re.findall(r"\w+", _code_of(pipeline, step)))
    parts = {
        "source": step.digest,
        "parameters": {name: repr(value) for name, value in sorted(parameters.items()) if words[name] > 1},
        "environment": environment_fingerprint(pipeline.document.kernel_name),
        "env": dict(sorted(step.options.env.items())),
        "modules": _local_modules(words.keys(), directory),
        "inputs": {name: carried.digest for name, carried in sorted(start.inputs.items())},
        "state": {name: carried.digest for name, carried in sorted(start.state.items())},
        "directory": str(directory),
    }
    return xxhash.xxh3_128_hexdigest(json.dumps(parts, sort_keys=True).encode())


def stored(run: str, start: Start, result: StepResult) -> StoredResult:
    """The result of a completed step, which began with ``start``, for later runs: with the files as they are now."""
    touched = {*result.observed.files_read, *result.observed.files_written}
    files = {path: print_ for path in touched if (print_ := _file_fingerprint(path))}
    asked = tuple(sorted(_asked(start.outputs, start.state_outputs)))
    return StoredResult(run=run, result=vars(result), files=files, outputs=asked)


def find_result(store: Store, key: str, step: StepPlan) -> tuple[StepResult, str] | None:
    """An earlier result with ``key`` that has all ``step`` must leave, and the id of the run that made it."""
    found = store.load_result(key)
    if found is None or any(_file_fingerprint(path) != print_ for path, print_ in found.files.items()):
        return None
    result = _result_from(found.result)
    complete = _asked(step.outputs, step.state_outputs) <= set(found.outputs)
    if not complete or any(not store.claim_object(carried.container) for carried in _carried(result)):
        return None
    return result, found.run


def _asked(values: Iterable[str], state: Iterable[str]) -> set[str]:
    """What a step is to leave, values and hidden state, each by a name of its own."""
    return {*values, *(f"{STATE}{component}" for component in state)}


def missing_results(store: Store, progress: Progress, parameters: Mapping[str, object], directory: Path) -> str | None:
    """The first step that must be taken from an earlier run although none has its result; ``None`` when all can be."""
    while True:
        needed = [step for step in progress.ready() if step.name in progress.selection.required]
        if not needed:
            return None
        for step in needed:
            key = step_key(progress.pipeline, step, progress.start(step), parameters, directory)
            found = find_result(store, key, step)
            if found is None:
                return step.name
            progress.finish(found[0])


@lru_cache(maxsize=8)
def environment_fingerprint(kernel_name: str) -> str:
    """What identifies the kernel's environment: its command, and the packages installed beside its interpreter."""
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    try:
        spec = KernelSpecManager().get_kernel_spec(kernel_name or "python3")
    except NoSuchKernel:
        return ""
    python = Path(spec.argv[0])
    packages: list[str] = []
    for prefix in {python.parent.parent, Path(os.path.realpath(python)).parent.parent}:
        packages += sorted(path.name for path in prefix.glob("lib/python*/site-packages/*.dist-info"))
    return xxhash.xxh3_128_hexdigest(json.dumps([spec.argv, spec.env, packages]).encode())


def _code_of(pipeline: Pipeline, step: StepPlan) -> str:
    """All code that runs in the step. A parameter that is only declared in it stands there once."""
    shared = [cell.code for cell in pipeline.document.cells if cell.role in (Role.SETUP, Role.PARAMETERS)]
    own = [pipeline.document.cells[index].code for index in step.cells]
    replayed = [replay.source for replay in (*step.definitions, *step.late_definitions)]
    return "\n".join([*shared, *own, *replayed])


def _local_modules(words: Collection[str], directory: Path) -> dict[str, str]:
    """Fingerprints of the modules beside the notebook that the step's code may import."""
    found = {}
    for path in sorted([*directory.glob("*.py"), *directory.glob("*/*.py")]):
        if path.stem in words or path.parent.name in words:
            found[str(path)] = xxhash.xxh3_128_hexdigest(path.read_bytes())
    return found


def _file_fingerprint(path: str) -> str:
    try:
        found = os.stat(path)
    except OSError:
        return "missing"
    return "folder" if os.path.isdir(path) else f"{found.st_size}-{found.st_mtime_ns}"


def _carried(result: StepResult) -> list[Carried]:
    return [*result.outputs.values(), *result.state_outputs.values()]


def _result_from(found: Mapping[str, object]) -> StepResult:
    import nbformat

    values = json.loads(json.dumps(found))
    return StepResult(
        step=values["step"],
        state="completed",
        cells={int(index): nbformat.from_dict(cell) for index, cell in values["cells"].items()},
        outputs={name: Carried(**carried) for name, carried in values["outputs"].items()},
        state_outputs={name: Carried(**carried) for name, carried in values["state_outputs"].items()},
        setup_digests=values["setup_digests"],
        observed=observed_from(values["observed"]),
        metrics=values.get("metrics", {}),
        tables=tuple(values.get("tables", ())),
        checks=tuple(values.get("checks", ())),
        versions=tuple(values.get("versions", ())),
        started=values["started"],
        ended=values["ended"],
    )
