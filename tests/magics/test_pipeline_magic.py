"""``%pipeline`` in a real kernel that belongs to a notebook, as JupyterLab starts it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.manager import start_new_kernel

import jupyter_pipelines as jp
from jupyter_pipelines.magics.commands import COMMANDS, help_text, table_markdown
from jupyter_pipelines.magics.doing import DO
from jupyter_pipelines.orchestration.service import Endpoint

CELLS = (
    ("parameters", "rows: int = 100\nseed: int = 1"),
    ("step:load", "data = list(range(rows))"),
    ("step:fit", "model = {'slope': sum(data) * seed}\ntotal = sum(data)"),
    ("step:report", "if seed == 13:\n    raise ValueError('unlucky')\nprint(model)"),
)


@dataclass
class Answer:
    """What a cell gave."""

    shown: list[dict[str, Any]] = field(default_factory=list)
    text: str = ""
    error: str = ""

    @property
    def html(self) -> str:
        return "".join(one.get("text/html", "") for one in self.shown)


@dataclass
class Kernel:
    """A kernel that belongs to the notebook at `path`."""

    client: Any
    path: Path

    def run(self, code: str) -> Answer:
        answer = Answer()

        def told(message: Any) -> None:
            kind, content = message["header"]["msg_type"], message["content"]
            if kind == "stream":
                answer.text += content["text"]
            elif kind in {"display_data", "execute_result", "update_display_data"}:
                answer.shown.append(content["data"])
            elif kind == "error":
                answer.error = f"{content['ename']}: {content['evalue']}"

        self.client.execute_interactive(code, output_hook=told, timeout=240)
        return answer

    def offers(self, code: str) -> list[str]:
        found: list[str] = self.client.complete(code, reply=True, timeout=30)["content"]["matches"]
        return found


@contextmanager
def _opened(folder: Path, **environment: str) -> Iterator[Kernel]:
    """A notebook in this folder, and the kernel that JupyterLab would start for it."""
    notebook = nbformat.v4.new_notebook()
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    for number, (tag, source) in enumerate(CELLS):
        notebook.cells.append(nbformat.v4.new_code_cell(source, id=f"cell-{number}", metadata={"tags": [tag]}))
    path = folder / "demo.ipynb"
    nbformat.write(notebook, path)
    manager, client = start_new_kernel(
        cwd=str(folder), env=os.environ | {"JPY_SESSION_NAME": "below/the/root/demo.ipynb"} | environment
    )
    try:
        yield Kernel(client, path)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def kernel(service: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    folder = tmp_path_factory.mktemp("magic")
    before = os.environ.get("JUPYTER_PIPELINES_STORE")
    os.environ["JUPYTER_PIPELINES_STORE"] = str(folder / "store")
    try:
        with _opened(folder) as made:
            jp.run(made.path)
            assert not made.run("%load_ext jupyter_pipelines").error
            yield made
    finally:
        os.environ.pop("JUPYTER_PIPELINES_STORE")
        if before is not None:
            os.environ["JUPYTER_PIPELINES_STORE"] = before


def test_each_command_is_done_and_told() -> None:
    assert [command.name for command in COMMANDS] == list(DO)
    assert len(help_text().splitlines()) <= 30 and max(map(len, help_text().splitlines())) <= 110


def test_the_docs_list_what_there_is(repository: Path) -> None:
    assert table_markdown() in (repository / "README.md").read_text()


def test_help_fits_a_screen(kernel: Kernel) -> None:
    reply = kernel.client.inspect("%pipeline", reply=True, timeout=30)["content"]
    assert kernel.run("%pipeline help").text == kernel.run("%pipeline --help").text == f"{help_text()}\n"
    assert "%pipeline run [-p NAME=VALUE]" in kernel.run("%pipeline run --help").text
    shown = re.sub(r"\x1b\[[\d;]*m", "", reply["data"]["text/plain"])
    assert "%pipeline value" in shown and len(shown.splitlines()) < 45


@pytest.mark.parametrize("line", ["%pipeline", "%pipeline show", "%pipeline demo.ipynb"])
def test_the_graph_is_drawn(kernel: Kernel, line: str) -> None:
    (shown,) = kernel.run(line).shown
    assert "<svg" in shown["image/svg+xml"] and "report" in shown["text/plain"]


def test_a_notebook_is_checked_and_explained(kernel: Kernel) -> None:
    assert "nothing is wrong" in kernel.run("%pipeline check").text
    assert "needs `data`" in kernel.run("%pipeline explain fit").text
    assert kernel.run("%pipeline explain model").text.startswith("report needs `model`")
    assert "demo: draft" in kernel.run("%pipeline status").text


def test_a_value_is_given(kernel: Kernel) -> None:
    assert kernel.run("model = %pipeline value fit.model\nprint(model['slope'])").text == "4950\n"
    assert "There is load.data" in kernel.run("%pipeline value nothing").text


@pytest.mark.parametrize("when", ['"every weekday 07:00"', "every weekday 07:00"])
def test_a_schedule_is_told_back_as_cron_in_words_and_as_times(kernel: Kernel, when: str) -> None:
    told = kernel.run(f"%pipeline schedule {when} --timezone Europe/Paris --dry-run").text
    assert "0 7 * * 1-5" in told and "dry run" in told and "Europe/Paris" in told
    assert len(re.findall(r"^  \w{3} \d{4}-\d\d-\d\d 07:00", told, re.MULTILINE)) == 5
    assert "no schedules" in kernel.run("%pipeline pause").text


def test_runs_are_shown_compared_and_drawn(kernel: Kernel) -> None:
    assert "completed" in kernel.run("%pipeline run -p rows=50 --wait").html
    (shown,) = kernel.run("%pipeline history 5").shown
    assert "application/vnd.jupyter.widget-view+json" in shown and "rows = 50" in shown["text/html"]
    assert "1,225" in kernel.run("%pipeline diff").html
    assert "<path" in kernel.run("%pipeline trend total").html
    assert "no two runs" not in kernel.run("%pipeline diff last last").text


def test_a_run_is_followed_while_it_goes_on(kernel: Kernel) -> None:
    answer = kernel.run("view = get_ipython().run_line_magic('pipeline', 'run -p rows=51')\nview")
    assert any("application/vnd.jupyter.widget-view+json" in one for one in answer.shown)
    assert kernel.run("print(view.run.wait(200).state)").text == "completed\n"


def test_a_failed_step_is_debugged_fixed_and_resumed(kernel: Kernel) -> None:
    assert "unlucky" in kernel.run("%pipeline run -p seed=13 --wait").html
    made = jp.debug(jp.runs(kernel.path)[0].id)
    assert made.step == "report" and "debug-report" in made.path.name
    notebook = nbformat.read(made.path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code" and not cell.metadata["jupyter_pipelines"].get("failed"):
            assert not kernel.run(cell.source).error, cell.source
        elif cell.cell_type == "code":
            assert kernel.run(cell.source).error == "ValueError: unlucky"
            cell.source = "print(model, 'for all that')"
            assert kernel.run(cell.source).text == "{'slope': 64350} for all that\n"
    assert "Nothing is changed" in kernel.run(f"%pipeline apply --notebook {made.path}").text
    nbformat.write(notebook, made.path)
    answer = kernel.run(f"%pipeline apply --notebook {made.path}")
    assert "cell 4 of demo.ipynb changed" in answer.text
    resumed = jp.runs(kernel.path)[0].wait(200)
    assert resumed.state == "completed" and [step.state for step in resumed.steps][:2] == ["reused", "reused"]
    assert "for all that" in json.dumps(resumed.notebook())
    assert "for all that" in kernel.path.read_text()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("%pipeline rnu", "Did you mean run?"),
        ("%pipeline value", "usage: %pipeline value STEP.NAME"),
        ("%pipeline run --from nowhere", "The steps are: load, fit, report."),
        ("%pipeline run -p rows=many", "rows"),
        ("%pipeline show --notebook missing.ipynb", "no notebook missing.ipynb"),
        ('%pipeline schedule "every blue moon"', "blue"),
        ("%pipeline debug zzz", "There is no run 'zzz'"),
        ("%pipeline explain <b>", "no step '<b>'"),
        ("%pipeline history --state done", "A state is one of pending, running, completed"),
    ],
)
def test_what_is_wrong_is_told_without_a_traceback(kernel: Kernel, line: str, told: str) -> None:
    text = kernel.run(line).text
    assert "UsageError" in text and told in text and "Traceback" not in text


def test_tab_offers_what_there_is(kernel: Kernel) -> None:
    assert {"run", "rollback"} & set(kernel.offers("%pipeline r")) == {"run"}
    assert set(kernel.offers("%pipeline explain ")) >= {"load", "fit", "report"}
    assert kernel.offers("%pipeline run -p r") == ["rows="]
    assert "--from" in kernel.offers("%pipeline run --f")
    assert "load" in kernel.offers("%pipeline run --from ")
    assert "fit.model" in kernel.offers("%pipeline value fit.")
    assert jp.runs(kernel.path)[0].id[:8] in kernel.offers("%pipeline diff ")
    assert "fit.model" in kernel.offers("m = %pipeline value f")
    assert kernel.offers("%pipeline explain m") == ["model"]
    assert kernel.offers("%pipeline trend fit.d") == ["fit.duration"]
    assert "failed" in kernel.offers("%pipeline history --state f")


def test_a_kernel_without_a_notebook_asks_for_its_name(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with _opened(tmp_path, JPY_SESSION_NAME="elsewhere/untitled.ipynb") as kernel:
        kernel.run("%load_ext jupyter_pipelines")
        assert "name it: %pipeline run --notebook NB" in kernel.run("%pipeline run").text
        kernel.offers("%pipeline explain ")
        assert kernel.offers("%pipeline explain --notebook demo.ipynb f") == ["fit"]
    assert "Traceback" not in capfd.readouterr().err


def test_a_step_does_not_run_its_own_pipeline(kernel: Kernel, tmp_path: Path) -> None:
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("%load_ext jupyter_pipelines\n%pipeline run", metadata={"tags": ["step:a"]})]
    )
    nbformat.write(notebook, tmp_path / "endless.ipynb")
    before = os.environ.get("JPY_SESSION_NAME")
    os.environ["JPY_SESSION_NAME"] = str(tmp_path / "endless.ipynb")
    try:
        run = jp.pipeline(tmp_path / "endless.ipynb").run()
    finally:
        os.environ.pop("JPY_SESSION_NAME") if before is None else os.environ.update(JPY_SESSION_NAME=before)
    assert len(jp.runs(tmp_path / "endless.ipynb")) == 1
    assert "which cannot run itself" in run.logs() or "cannot tell which notebook" in run.logs()


def test_all_is_the_same_with_a_prefect_server_somewhere_else(service: Endpoint, tmp_path: Path) -> None:
    """A project home of its own, and the address of a server: nothing is started beside the kernel."""
    home = tmp_path / "home"
    environment = {
        "JUPYTER_PIPELINES_HOME": str(home),
        "JUPYTER_PIPELINES_STORE": str(tmp_path / "store"),
        "PREFECT_API_URL": service.api_url,
        "PREFECT_API_AUTH_STRING": service.auth,
    }
    with _opened(tmp_path, **environment) as kernel:
        answer = kernel.run(
            "import jupyter_pipelines as jp\n"
            "pipeline = jp.pipeline('demo.ipynb')\n"
            "good = pipeline.run({'rows': 10})\n"
            "bad = pipeline.run({'seed': 13})\n"
            "print(good.id, good.state, good.value('fit.model'), bad.state)\n"
            "print([run.state for run in pipeline.runs()])"
        )
        assert not answer.error
        first, second = answer.text.splitlines()[-2:]
        run_id, said = first.split(" ", 1)
        assert said == "completed {'slope': 45} failed"
        assert second == "['failed', 'completed']"
        found = service.call(f"/flow_runs/{run_id}", timeout=30)
        assert isinstance(found, dict) and found["state_name"] == "Completed"

        assert not kernel.run("%load_ext jupyter_pipelines").error
        assert run_id[:8] in kernel.run("%pipeline history").html
        assert "completed" in kernel.run("%pipeline status").text
        assert kernel.run(f"%pipeline value fit.model --run {run_id[:8]}").shown[-1]["text/plain"] == "{'slope': 45}"
        assert "13" in kernel.run(f"%pipeline diff {run_id[:8]} last").html
    assert not (home / "endpoint.json").exists()
