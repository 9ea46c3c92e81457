"""The diamond as a dagster job of dagstermill ops; copied next to its notebooks and ``work.json``."""

import json
from pathlib import Path

import dagstermill
from dagster import DagsterInstance, In, Out, execute_job, fs_io_manager, job, reconstructable

HERE = Path(__file__).parent
STEPS = json.loads((HERE / "work.json").read_text())["steps"]
OPS = {
    step["name"]: dagstermill.define_dagstermill_op(
        name=step["name"],
        notebook_path=str(HERE / f"{step['name']}.ipynb"),
        ins={value: In() for value in step["takes"]},
        outs={value: Out() for value in step["leaves"]},
    )
    for step in STEPS
}
RESOURCES = {
    "output_notebook_io_manager": dagstermill.local_output_notebook_io_manager,
    "io_manager": fs_io_manager,
}


@job(resource_defs=RESOURCES)
def diamond() -> None:
    """Each value by its name, as the notebooks have it."""
    values = {}
    for step in STEPS:
        (value,) = step["leaves"]
        values[value] = OPS[step["name"]](**{name: values[name] for name in step["takes"]})


if __name__ == "__main__":
    two_at_once = {"execution": {"config": {"multiprocess": {"max_concurrent": 2}}}}
    with DagsterInstance.get() as instance:
        result = execute_job(reconstructable(diamond), instance=instance, run_config=two_at_once)
        assert result.success
