"""Work pools of other kinds: what a worker that starts containers is told, and who says what becomes of its runs."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

import jupyter_pipelines as jp
from jupyter_pipelines.errors import RequestError, ServiceError
from jupyter_pipelines.orchestration.recorder import is_elsewhere, process_identity
from jupyter_pipelines.orchestration.service import Endpoint
from jupyter_pipelines.store import Store

WriteNotebook = Callable[..., Path]


@pytest.fixture
def remote(service: Endpoint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Endpoint:
    """A Prefect server of one's own, as far as a project home can tell."""
    monkeypatch.setenv("JUPYTER_PIPELINES_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PREFECT_API_URL", service.api_url)
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", service.auth)
    return Endpoint(service.api_url, service.auth)


@pytest.fixture
def pool(remote: Endpoint, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], dict[str, Any]]:
    """``pool("docker")`` makes a work pool of that type as Prefect does, and has runs go there."""

    def pool(kind: str) -> dict[str, Any]:
        collections = files("prefect.server.api") / "collections_data" / "views" / "aggregate-worker-metadata.json"
        known = {name: one for workers in json.loads(collections.read_text()).values() for name, one in workers.items()}
        template: dict[str, Any] = known[kind]["default_base_job_configuration"]
        name = f"{kind}-{time.time_ns()}"
        remote.call("/work_pools/", {"name": name, "type": kind, "base_job_template": template})
        monkeypatch.setenv("JUPYTER_PIPELINES_WORK_POOL", name)
        return template

    return pool


def job_of(remote: Endpoint, run_id: str, template: Mapping[str, Any]) -> dict[str, Any]:
    """What the pool's worker makes of its template, the deployment and the run."""
    from prefect.utilities.templating import apply_values

    run: Any = remote.call(f"/flow_runs/{run_id}")
    deployment: Any = remote.call(f"/deployments/{run['deployment_id']}")
    assert deployment["entrypoint"] == "jupyter_pipelines.orchestration.flow.run_pipeline"
    defaults = {name: one.get("default") for name, one in template["variables"]["properties"].items()}
    values = defaults | deployment["job_variables"] | run["job_variables"]
    made: dict[str, Any] = apply_values(template["job_configuration"], values)
    return made


def test_a_docker_pool_is_told_the_image_and_where_the_store_is(
    remote: Endpoint,
    pool: Callable[[str], dict[str, Any]],
    store: Path,
    write: WriteNotebook,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    template = pool("docker")
    said = {"image": "example/flights:1", "volumes": [f"{store}:{store}"], "env": {"TZ": "UTC"}}
    monkeypatch.setenv("JUPYTER_PIPELINES_JOB_VARIABLES", json.dumps(said))
    run_id = jp.submit(write(("step:one", "x = 1")))
    job = job_of(remote, run_id, template)
    assert (job["image"], job["volumes"]) == (said["image"], said["volumes"])
    assert job["env"] == {"JUPYTER_PIPELINES_STORE": str(store), "TZ": "UTC"}
    assert not job.get("command"), "the worker's own: nothing of this machine"
    run: Any = remote.call(f"/flow_runs/{run_id}")
    assert run["state_type"] == "SCHEDULED" and "store" not in run["parameters"]["options"]
    assert jp.get_run(run_id).state == "pending"


def test_a_kubernetes_pool_gets_jobs_with_our_environment(
    remote: Endpoint,
    pool: Callable[[str], dict[str, Any]],
    store: Path,
    write: WriteNotebook,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    template = pool("kubernetes")
    monkeypatch.setenv("JUPYTER_PIPELINES_JOB_VARIABLES", '{"image": "example/flights:1", "namespace": "pipelines"}')
    job = job_of(remote, jp.submit(write(("step:one", "x = 1"))), template)
    manifest = job["job_manifest"]
    (container,) = manifest["spec"]["template"]["spec"]["containers"]
    assert (container["image"], manifest["metadata"]["namespace"]) == ("example/flights:1", "pipelines")
    assert container["env"] == {"JUPYTER_PIPELINES_STORE": str(store)}


def test_what_a_pool_does_not_take_is_said_before_anything_runs(
    pool: Callable[[str], dict[str, Any]], store: Path, write: WriteNotebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook = write(("step:one", "x = 1"))
    pool("docker")
    for text, words in (('{"picture": "x"}', "no job variable 'picture'"), ("[1]", "is no JSON object")):
        monkeypatch.setenv("JUPYTER_PIPELINES_JOB_VARIABLES", text)
        with pytest.raises(RequestError, match=words):
            jp.submit(notebook)
    monkeypatch.setenv("JUPYTER_PIPELINES_WORK_POOL", "nowhere")
    monkeypatch.delenv("JUPYTER_PIPELINES_JOB_VARIABLES")
    with pytest.raises(ServiceError, match="no work pool 'nowhere'"):
        jp.submit(notebook)
    assert not jp.list_runs()


def test_a_run_in_a_container_is_not_taken_for_dead(
    remote: Endpoint, pool: Callable[[str], dict[str, Any]], store: Path, write: WriteNotebook
) -> None:
    pool("docker")
    run_id = jp.submit(write(("step:one", "x = 1")))
    runs = Store(str(store))
    elsewhere = process_identity() | {"host": "5f1c0a9e2b7d", "pid": 7}
    runs.save_run(run_id, dict(runs.load_run(run_id) or {}) | {"state": "running", "process": elsewhere})
    old = time.time() - 60
    os.utime(store / "runs" / run_id / "run.json", (old, old))
    assert jp.get_run(run_id).state == "running", "nobody sees that process from here"
    crashed = {"type": "CRASHED", "name": "Crashed", "message": "the container was killed"}
    remote.call(f"/flow_runs/{run_id}/set_state", {"state": crashed, "force": True})
    assert (jp.get_run(run_id).state, jp.get_run(run_id).error) == ("crashed", "the container was killed")


def test_processes_are_elsewhere_by_machine_and_container() -> None:
    own = process_identity()
    assert not is_elsewhere(own)
    assert is_elsewhere(own | {"host": "another"})
    assert not is_elsewhere({"pid": 1, "created": 0.0}), "one that an earlier version has put down"
    if "begun" in own:
        assert is_elsewhere(own | {"processes": "pid:[1]"})
        assert not is_elsewhere(own | {"processes": "pid:[1]", "begun": "before 1"}), "the machine was restarted"
