"""One run of a pipeline from its first step to its record: the loop that the flow is made of."""

from __future__ import annotations

import queue
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from jupyter_pipelines.diagnostics import Diagnostic
from jupyter_pipelines.errors import StoreError
from jupyter_pipelines.execution import wait_for_kernels
from jupyter_pipelines.execution.executed_notebook import ExecutedNotebook
from jupyter_pipelines.execution.model import CellEvent, Observed, StepErrorInfo, StepRequest, StepResult
from jupyter_pipelines.execution.sequence import Sequence
from jupyter_pipelines.graph.model import StepPlan
from jupyter_pipelines.notebook import coerce_parameters, parameters_source, parse_notebook
from jupyter_pipelines.notebook.secrecy import conceal
from jupyter_pipelines.orchestration import memory, reuse
from jupyter_pipelines.orchestration.cancellation import watch_for_cancellation
from jupyter_pipelines.orchestration.limits.turns import Turns
from jupyter_pipelines.orchestration.loading import compile_with_memory, load_runnable
from jupyter_pipelines.orchestration.model import OnRunEvent, RunEvent, RunOptions, RunRecord, RunState, content_of
from jupyter_pipelines.orchestration.progress import Contradiction, Progress, select
from jupyter_pipelines.orchestration.recorder import Recorder
from jupyter_pipelines.orchestration.records import first_of
from jupyter_pipelines.orchestration.redaction import concealed, secret_names, unseal
from jupyter_pipelines.orchestration.service.launch import SIGNALS_SEEN
from jupyter_pipelines.orchestration.service.wake import LOOK, tell_worker
from jupyter_pipelines.orchestration.step_task import retry_delay, submit_step
from jupyter_pipelines.orchestration.time_limit import TimeLimit
from jupyter_pipelines.orchestration.versions.folders import used, working_folder
from jupyter_pipelines.orchestration.versions.identity import pipeline_of_document, real_path
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store, StoredResult
from jupyter_pipelines.warehouse.databases.declared import known_secrets
from jupyter_pipelines.warehouse.sources.declared import sources

MOST_REPEATS = 10  # of one step in one run; each repeat has learnt an order, so few notebooks come near


class PipelineRun:
    """A run in this process. ``execute`` is called once, from the flow."""

    def __init__(
        self,
        run_id: str,
        name: str,
        version: str,
        notebook: str,
        parameters: Mapping[str, object],
        options: RunOptions,
        *,
        on_event: OnRunEvent,
        cancel: threading.Event,
    ) -> None:
        settings = Settings.load()
        self.home = settings.home
        self.store = Store(options.store or settings.store)
        source = self.store.get_notebook(version)
        self.path = Path(notebook)
        self.directory = working_folder(self.store, content_of(options), self.path)
        self.options = options
        self.cancel = cancel
        self._on_event = on_event
        self._seen: dict[str, Observed] = {}  # what the pipeline is compiled with, by step digest
        pipeline = load_runnable(source, self.path.name, self.store, self._seen)
        self.document = pipeline.document
        self.parameters = coerce_parameters(self.document, unseal(self.store, self.document, parameters))
        self._secrets = [self.parameters[name] for name in secret_names(self.document) if name in self.parameters]
        self._secrets += [*sources(settings).known_secrets(), *known_secrets(settings.warehouse)]
        selection = select(pipeline, only=options.only, from_step=options.from_step, until=options.until)
        self.progress = Progress(pipeline, selection)
        self.limit = options.max_parallel or self.document.options.max_parallel or settings.max_parallel
        parsed = parse_notebook(source, self.path.name)
        assert parsed is not None, "load_runnable has read it"
        self.notebook = parsed
        executed = self.store.run_folder(run_id) / "executed.ipynb"
        chosen = [step.name for step in pipeline.steps if step.name in selection.chosen]
        record = RunRecord.pending(
            run_id,
            name,
            str(self.path),
            version,
            parameters,
            options,
            chosen,
            str(executed),
            pipeline_of_document(self.store, pipeline.document, self.path),
        )
        self.recorder = Recorder(self.store, record, on_event)
        self._origin = first_of(self.store, run_id, options.resume)
        self._time = TimeLimit(options.timeout or self.document.options.timeout, cancel)
        self._turns = Turns(self.home, run_id, cancel, self.recorder.waits, options.asked)
        self.executed = ExecutedNotebook(
            parsed,
            executed,
            pipeline,
            run_id=run_id,
            parameters=parameters,
            parameters_source=parameters_source(self.document, self.parameters, for_people=True),
        )
        self._ended: queue.Queue[str] = queue.Queue()
        self._latest: dict[str, StepResult] = {}
        self._keys: dict[str, str] = {}
        self._setup: dict[str, tuple[str, str]] = {}
        self._taken_back: Counter[str] = Counter()
        self._to_keep: list[tuple[StepResult, StoredResult | None]] = []
        self._too_early: dict[str, str] = {}  # steps to repeat, with the reason, once none that depends on them runs
        self._draining = False  # none starts until those that run have ended, and what ran too early is put right
        self._refusal = ""
        self._sequence: Sequence | None = None
        if pipeline.sequential:
            self._sequence = Sequence(pipeline, parsed, self.directory, {}, self._cell_event, cancel)

    def execute(self) -> RunRecord:
        """Run the steps, once it is our turn; returns the final record.

        Only defects of ours raise, after they are put on record.
        """
        with ExitStack() as held:
            held.enter_context(watch_for_cancellation(self.recorder.record.id, self.cancel))
            return self._execute(held)

    def _execute(self, held: ExitStack) -> RunRecord:
        """Run the steps; ``held`` gets the slots that are to be held until the end is on record."""
        try:
            if self._wait_for_turn(held):
                self.recorder.run_started()
                with used(self.store, content_of(self.options), self.path), self._time:
                    self._loop()
        except BaseException as error:
            reason = conceal(f"{type(error).__name__}: {error}", self._secrets)
            self.executed.finish("crashed", reason)
            self._finish("crashed", reason)
            raise
        for step, failure in self.progress.blocked().items():
            self.recorder.step_skipped(step, f"{failure} did not succeed")
        for record in self.recorder.record.steps:
            if record.state == "pending":
                self.recorder.step_skipped(record.name, self._refusal or "the run was stopped")
        state, reason = self._outcome()
        self.executed.finish(state, reason)
        wait_for_kernels()
        return self._finish(state, reason)

    def _wait_for_turn(self, held: ExitStack) -> bool:
        """Wait until the run may begin, as limits say; gives whether it may: not when it was cancelled before."""
        pipeline = self.recorder.record.pipeline or real_path(self.path)
        had = held.enter_context(self._turns.of_pipeline(pipeline))
        if had and self._sequence is not None:  # its steps share one kernel: none begins for itself
            resources = {name for options in self.document.steps.values() for name in options.resources}
            had = held.enter_context(self._turns.of_resources("", resources))
        return had

    def _finish(self, state: RunState, reason: str) -> RunRecord:
        record = self.recorder.run_finished(state, reason)
        tell_worker(self.home, LOOK)  # others may wait for this end
        return record

    def _loop(self) -> None:
        while True:
            self._start_ready_steps()
            self._keep_ended()
            if not self.progress.running:
                return
            self._step_ended(self._next_ended())

    def _next_ended(self) -> str:
        """Wait for a step to end. Ctrl-C cancels the run once, and only then interrupts us."""
        while True:
            try:
                return self._ended.get(timeout=SIGNALS_SEEN)
            except queue.Empty:
                continue
            except KeyboardInterrupt:
                if self.cancel.is_set():
                    raise
                self.cancel.set()

    def _stopping(self) -> bool:
        return self.cancel.is_set() or bool(self._refusal)

    def _start_ready_steps(self) -> None:
        starting = True
        while starting and not self._stopping() and not self._draining:
            starting = False
            for step in self.progress.ready():
                if len(self.progress.running) >= self.limit:
                    return
                if self._start(step):  # taken from an earlier run: more may be ready now
                    starting = True
                    break
                if self._stopping():
                    return

    def _start(self, step: StepPlan) -> bool:
        """Start ``step``, or take its result from an earlier run; says whether it was taken."""
        start = self.progress.start(step)
        self.recorder.step_loads(step, start.inputs, start.state)
        key = reuse.step_key(self.progress.pipeline, step, start, self.parameters, self.directory)
        self._keys[step.name] = key
        required = step.name in self.progress.selection.required
        if required or self._may_take(step):
            found = reuse.find_result(self.store, key, step)
            if found is not None:
                self._take(step, *found)
                return True
            if required:
                del self.progress.started[step.name]
                self._refuse(
                    f"The result of step {step.name} is needed but no earlier run has one for its present source and "
                    f"inputs. Run the pipeline with --until {step.name} first."
                )
                return False
        request = StepRequest(
            run_id=self.recorder.record.id,
            pipeline=self.progress.pipeline,
            step=step,
            notebook=self.notebook,
            parameters=self.parameters,
            inputs=start.inputs,
            state=start.state,
            directory=self.directory,
            objects=self.store.objects,
            env=step.options.env,
            backfill=self.options.backfill or "",
            origin=self._origin,
            version=self.recorder.record.version,
        )
        told = threading.Event()

        def ended(*_: object) -> None:
            """Said by the last attempt, and by Prefect's task behind it: the next step need not wait for that one."""
            if not told.is_set():
                told.set()
                self._ended.put(step.name)

        submit_step(request, lambda request: self._run_attempt(request, ended), ended, self.cancel)
        return False

    def _run_attempt(self, request: StepRequest, ended: Callable[[], None]) -> StepResult:
        from jupyter_pipelines.execution import run_step

        name = request.step.name
        if request.attempt > 1:
            self.cancel.wait(retry_delay(request.step.options, request.attempt - 1))
        resources = request.step.options.resources if self._sequence is None else ()
        with ExitStack() as held:
            problem = None
            try:
                had = held.enter_context(self._turns.of_resources(name, resources))
            except StoreError as unknown:  # how many may go on
                problem = StepErrorInfo("refused", unknown.message, unknown.fix)
            if problem is not None:
                result = StepResult(name, "failed", {}, error=problem)
            elif not had or self.cancel.is_set():
                error = StepErrorInfo("cancelled", "the run was cancelled before the step began")
                result = StepResult(name, "cancelled", {}, error=error)
            else:
                self.recorder.step_started(name, request.attempt)
                self.executed.step_started(name)
                if self._sequence is not None:
                    result = self._sequence.wait_for(name)
                else:
                    result = run_step(request, self._cell_event, self.cancel)
        result = self._latest[name] = concealed(self._time.seen(result), self._secrets)
        failed = result.state in {"failed", "timed-out", "crashed"}
        if not failed or request.attempt > request.step.options.retries or self.cancel.is_set():
            ended()
        elif result.error is not None:
            self.recorder.step_will_retry(name, result.error.message)
        return result

    def _cell_event(self, event: CellEvent) -> None:
        if event.cell is not None:
            if event.kind == "cell-started":
                self.executed.cell_started(event.step, event.cell)
            elif event.kind == "output" and event.output is not None:
                self.executed.output(event.step, event.cell, event.output)
            elif event.executed is not None:
                self.executed.cell_finished(event.step, event.cell, event.executed)
        self._on_event(RunEvent("cell", self.recorder.record.id, event.step, time=event.time, cell=event))

    def _take(self, step: StepPlan, result: StepResult, run: str) -> None:
        self.progress.finish(result)
        self.executed.step_finished(result, reused_from=run)
        if step.name in self.progress.selection.chosen:
            self.recorder.step_finished(result, reused_from=run)
        self._learn(step, result, memory.recall(self.store, step.digest))

    def _may_take(self, step: StepPlan) -> bool:
        """Whether an earlier result will do. Tables may be others by now, unless it is the same run that goes on."""
        asked = self.options.resume or (self.options.reuse and not step.uses_warehouse)
        return bool(asked) and step.options.cache

    def _step_ended(self, name: str) -> None:
        step = self.progress.pipeline.step(name)
        result = self._latest.get(name) or _lost(name)
        self.progress.finish(result)
        self.recorder.step_finished(result)
        kept = None
        if result.state == "completed":
            kept = reuse.stored(self.recorder.record.id, self.progress.started[name], result)
        self._to_keep.append((result, kept))
        seen = Observed()
        if result.state in {"completed", "refused"}:
            seen = memory.remember(self.store, step.digest, result.observed)
        self._learn(step, result, seen)

    def _keep_ended(self) -> None:
        """Write what has ended where it is kept, while what waited for it runs: files may take their time."""
        while self._to_keep:
            result, kept = self._to_keep.pop(0)
            self.executed.step_finished(result)
            if kept is not None:
                self.store.save_result(self._keys[result.step], kept)

    def _learn(self, step: StepPlan, result: StepResult, seen: Observed) -> None:
        """Recompile with all that runs of the step have ``seen``, and put right what turns out to have run too soon."""
        learnt = result.state == "completed"
        if result.state == "refused":
            known = self._seen.get(step.digest, Observed()).definitions_needed
            learnt = bool(result.observed.changed) or not {*result.observed.definitions_needed} <= {*known}
            if not learnt or not self._may_repeat(result):
                self._refuse(result.error.message if result.error else f"{step.name} was refused")
                return
        if learnt and seen != self._seen.get(step.digest):
            self._seen[step.digest] = seen
            pipeline = compile_with_memory(self.document, self.store, self._seen)
            if pipeline.errors:
                self._refuse_for(pipeline.errors[0])
                return
            self.progress.pipeline = pipeline
        if unfounded := self.progress.unfounded():
            self._refuse(unfounded)
            return
        if result.state == "completed":
            self._compare_setup(step, result)
        if result.state == "refused":
            what = f"changes {', '.join(result.observed.changed)}"
            if needed := result.observed.definitions_needed:
                what = f"is handed what is made with {', '.join(needed)}"
            self._too_early[step.name] = f"{step.name} {what}, which is known now"
        for name, why in list(self._too_early.items()):
            if not self.progress.taken_back([name]) & self.progress.running:
                self._repeat([name], why)
        too_early = self.progress.contradictions()
        # What comes behind them has to wait: it may remove the files that they have missed.
        self._draining = bool(too_early and self.progress.running)
        if not self._draining:
            self._repair(too_early)

    def _repair(self, too_early: list[Contradiction]) -> None:
        """Run again what started too early where that leaves no trace, else stop: never a different result."""
        for found in too_early:
            result = self.progress.results.get(found.step) or self._latest.get(found.step)
            if result is not None and not self._may_repeat(result):
                self._refuse(f"{found}. The order is known now: run the pipeline again.")
                return
        if too_early:
            self._repeat([found.step for found in too_early], str(too_early[0]))

    def _may_repeat(self, result: StepResult) -> bool:
        """Whether running the step once more leaves nothing behind that running it once would not."""
        step = self.progress.pipeline.step(result.step)
        often = self._taken_back[result.step] >= MOST_REPEATS
        return not (often or result.observed.files_written or step.resources or step.uses_warehouse)

    def _repeat(self, steps: list[str], why: str) -> None:
        self._keep_ended()
        for name in self.progress.forget(steps):
            self._too_early.pop(name, None)
            self._taken_back[name] += 1
            self.recorder.step_taken_back(name, f"{why}; running it again")

    def _compare_setup(self, step: StepPlan, result: StepResult) -> None:
        for name, digest in result.setup_digests.items():
            first, where = self._setup.setdefault(name, (digest, step.name))
            if first != digest:
                self._refuse(
                    f"Setup gives `{name}` another value in step {step.name} than in step {where}, so it is not what "
                    f"one kernel would have. Assign `{name}` in a step: then it is made once and carried."
                )

    def _refuse_for(self, found: Diagnostic) -> None:
        """Refuse the step that the compiler speaks of, now that runs have shown more, and stop."""
        if found.step is not None and any(
            step.name == found.step and step.state == "pending" for step in self.recorder.record.steps
        ):
            cell = found.location.cell - 1 if found.location is not None else None
            error = StepErrorInfo("refused", found.message, found.fix, cell, found.first_line)
            self.recorder.step_finished(StepResult(found.step, "refused", {}, error=error))
        self._refuse(found.message)

    def _refuse(self, message: str) -> None:
        self._refusal = self._refusal or message

    def _outcome(self) -> tuple[RunState, str]:
        if self._refusal:
            return "failed", self._refusal
        if self._time.is_over:
            done = all(record.state in {"completed", "reused"} for record in self.recorder.record.steps)
            return ("completed", "") if done else ("failed", self._time.message)
        if self.cancel.is_set():
            return "cancelled", "cancelled on request"
        for record in self.recorder.record.steps:
            if record.state not in {"completed", "reused", "skipped"}:
                return "failed", f"step {record.name} {record.state}: {record.error}"
        return "completed", ""


def _lost(name: str) -> StepResult:
    """The result of a step whose task ended without one: Prefect itself failed to run it."""
    error = StepErrorInfo("error", "the task ended without running the step; see the Prefect server's log")
    return replace(StepResult(name, "crashed", {}), error=error)
