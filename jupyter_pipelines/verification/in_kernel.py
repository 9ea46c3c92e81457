"""Runs inside the reference's kernel, by hidden cells: standard library only, Python 3.9 and later.

``keep`` writes variables down as they are at that point of the notebook, into containers like those of steps;
``compare`` reads, at the notebook's end, what the pipeline and earlier reference runs left, where every definition that
the values need exists. Nothing here may disturb the notebook: what goes wrong is told in the result.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
from typing import Any

PACKAGE = "_jupyter_pipelines_kernel"  # the name under which containers know it

Json = dict[str, Any]


def main(task: str, job: str, step: str) -> None:
    """Do ``task`` for the job file at ``job``, and add to the result file beside it."""
    with open(job, encoding="utf-8") as file:
        work: Json = json.load(file)
    _bring_in(work["kernel_side"])
    result: Json = {}
    if os.path.exists(work["result"]):
        with open(work["result"], encoding="utf-8") as file:
            result = json.load(file)
    if task == "keep":
        result.setdefault("kept", {})[step] = {name: _keep(work, name) for name in work["steps"][step]}
    else:
        result["compared"] = [_compare(work, result["kept"], step, name) for step, name in _pairs(work)]
    with open(work["result"], "w", encoding="utf-8") as file:
        json.dump(result, file)


def _bring_in(folder: str) -> None:
    if PACKAGE in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(
        PACKAGE, os.path.join(folder, "__init__.py"), submodule_search_locations=[folder]
    )
    assert spec is not None
    assert spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = package
    spec.loader.exec_module(package)


def _part(name: str) -> Any:
    return importlib.import_module(f"{PACKAGE}.{name}")


def _pairs(work: Json) -> list[tuple[str, str]]:
    return [(step, name) for step, names in work["steps"].items() for name in names]


def _keep(work: Json, name: str) -> Json:
    """Write the variable down; returns where, or why not."""
    user = sys.modules["__main__"].__dict__
    if name not in user:
        return {"missing": "the notebook has no such variable at this point"}
    try:
        pickled = _part("pickling").pickle_value(user[name], work["definitions"])
        group = _part("container").Group((name,), pickled)
        address = _part("container").write(work["objects"], [group], {name: {}})
    except Exception as error:  # whatever a value's own pickling raises
        return {"problem": f"{type(error).__name__}: {error}"}
    return {"container": address}


def _compare(work: Json, kept: Json, step: str, name: str) -> Json:
    """How the value differs from the pipeline's and from those of earlier reference runs; ``None``: not at all."""
    found: Json = {"step": step, "name": name}
    mine = kept.get(step, {}).get(name, {"problem": "the notebook did not come to this point"})
    if "container" not in mine:
        return {**found, **mine}
    try:
        found["pipeline"] = _difference(work, name, mine["container"], work["steps"][step][name])
        found["references"] = [
            _difference(work, name, mine["container"], other[step][name]["container"])
            for other in work["references"]
            if "container" in other.get(step, {}).get(name, {})
        ]
    except Exception as error:  # whatever a value's own unpickling raises
        return {**found, "problem": f"it cannot be read back: {type(error).__name__}: {error}"}
    return found


def _difference(work: Json, name: str, one: str, other: str) -> Any:
    container = _part("container").Container
    first = container(work["objects"], one).load([name])[name]
    second = container(work["objects"], other).load([name])[name]
    return _part("comparison").difference(first, second, name)


main(globals()["TASK"], globals()["JOB"], globals()["STEP"])
