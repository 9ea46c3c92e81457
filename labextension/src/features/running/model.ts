/** Starting runs and stopping them; and what is said about how a pipeline is. */
import type { JSONObject } from '@lumino/coreutils';
import { type ISignal, Signal } from '@lumino/signaling';
import {
  ApiError,
  asApiError,
  type IParameter,
  type IPipelineSummary,
  type IRun,
  type IService,
  type PipelineState
} from '../../api';
import type {
  IParameterValues,
  IPart,
  IRecords,
  IRunning,
  IRunningState
} from '../../tokens';
import { valuesOf } from '../parameters/model';

const NOTHING: IRunningState = { doing: null, error: null };

/** How many runs of a notebook are looked at beside it. */
const RECENT_RUNS = 20;

export function goesOn(run: Pick<IRun, 'state'>): boolean {
  return run.state === 'running' || run.state === 'pending';
}

/** Can it be continued? */
export function canResume(run: Pick<IRun, 'state'>): boolean {
  return ['failed', 'crashed', 'cancelled'].includes(run.state);
}

export function isAway(service: IService | null): boolean {
  return service?.state === 'stopped' || service?.state === 'unreachable';
}

/** How a pipeline is, in one word. A run that goes on is known before its summary is. */
export function stateOf(known: {
  summary: IPipelineSummary | null;
  runs: readonly IRun[] | null;
  service: IService | null;
  /** Is the Jupyter server heard? */
  heard: boolean;
}): PipelineState {
  const { summary, runs, service, heard } = known;
  if (!heard || isAway(service)) {
    return 'offline';
  }
  if (runs?.some(goesOn)) {
    return 'running';
  }
  const last = runs?.[0];
  if (summary && !['running', 'offline'].includes(summary.state)) {
    return summary.state;
  }
  return last?.state === 'failed' || last?.state === 'crashed'
    ? 'failing'
    : 'draft';
}

/** Steps of a run that are done, of how many. */
export function progressOf(run: IRun): { done: number; all: number } {
  const ended = run.steps.filter(
    step => step.state !== 'pending' && step.state !== 'running'
  );
  return { done: ended.length, all: run.steps.length };
}

/** Cells of a run that failed: where to go to. */
export function failureOf(run: IRun): { step: string; cell: number } | null {
  const step = run.steps.find(({ error_cell }) => error_cell !== null);
  return step?.error_cell ? { step: step.name, cell: step.error_cell } : null;
}

/** Why a run ended as it did; without the name of the step, which is told beside it. */
export function causeOf(run: IRun): string {
  const told = `step ${failureOf(run)?.step ?? ''} failed: `;
  return run.error.startsWith(told) ? run.error.slice(told.length) : run.error;
}

/** See {@link IRunning}. */
export class Running implements IRunning {
  constructor(private readonly _options: Running.IOptions) {}

  get changed(): ISignal<this, string> {
    return this._changed;
  }

  of(notebook: string): IRunningState {
    return this._states.get(notebook) ?? NOTHING;
  }

  clear(notebook: string): void {
    if (this.of(notebook).error) {
      this._set(notebook, NOTHING);
    }
  }

  run(notebook: string, part: IPart = {}): Promise<IRun | null> {
    return this._start(notebook, 'starting', async () => {
      const parameters = this._parameters(notebook);
      return this._options.records.api.submit({
        notebook,
        parameters,
        ...part
      });
    });
  }

  resume(notebook: string): Promise<IRun | null> {
    return this._start(notebook, 'resuming', async () => {
      const [last] = await this._recent(notebook);
      if (!last || !canResume(last)) {
        throw new ApiError(
          this._options.words.nothingToResume,
          this._options.words.runInstead
        );
      }
      return this._options.records.api.resumeRun(last.id);
    });
  }

  async cancel(notebook: string): Promise<void> {
    const { records } = this._options;
    await this._do(notebook, 'cancelling', async () => {
      const going = (await this._recent(notebook)).filter(goesOn);
      await Promise.all(going.map(run => records.api.cancelRun(run.id)));
      await records.of(notebook).runs.refresh();
    });
  }

  async pause(notebook: string, paused: boolean): Promise<void> {
    const { api } = this._options.records;
    await this._do(notebook, 'pausing', async () => {
      const [schedules, triggers] = await Promise.all([
        api.schedules(notebook),
        api.triggers(notebook)
      ]);
      await Promise.all([
        ...schedules
          .filter(one => one.paused !== paused)
          .map(one => api.pauseSchedule(one.id, paused)),
        ...triggers
          .filter(one => one.paused !== paused)
          .map(one => api.pauseTrigger(one.id, paused))
      ]);
      const known = this._options.records.of(notebook);
      await Promise.all([
        known.schedules.refresh(),
        known.triggers.refresh(),
        known.summary.refresh()
      ]);
    });
  }

  async verify(notebook: string): Promise<void> {
    await this._do(notebook, 'verifying', async () => {
      const parameters = this._parameters(notebook);
      await this._options.save(notebook);
      await this._options.records.api.verify(notebook, parameters);
    });
  }

  /** What is filled in, or an error that names the field. */
  private _parameters(notebook: string): JSONObject {
    const { values, parameters, words } = this._options;
    const given = values.of(notebook);
    const declared = parameters(notebook);
    if (!declared) {
      return {};
    }
    const { values: understood, problems } = valuesOf(declared, given);
    const [wrong] = Object.keys(problems);
    if (wrong !== undefined) {
      throw new ApiError(
        words.parameter(wrong),
        words.correctIt,
        `parameters.${wrong}`
      );
    }
    return understood;
  }

  private async _recent(notebook: string): Promise<IRun[]> {
    const { api } = this._options.records;
    return (await api.runs({ notebook, limit: RECENT_RUNS })).runs;
  }

  private _start(
    notebook: string,
    doing: 'starting' | 'resuming',
    submit: () => Promise<IRun>
  ): Promise<IRun | null> {
    return this._do(notebook, 'saving', async () => {
      await this._options.save(notebook);
      this._set(notebook, { doing, error: null });
      const run = await submit();
      // Shown at once; its events follow.
      const { runs } = this._options.records.of(notebook);
      const others = (runs.value ?? []).filter(({ id }) => id !== run.id);
      runs.set([run, ...others].slice(0, RECENT_RUNS));
      return run;
    });
  }

  /** One thing at a time for each notebook; what goes wrong is kept. */
  private async _do<T>(
    notebook: string,
    doing: NonNullable<IRunningState['doing']>,
    work: () => Promise<T>
  ): Promise<T | null> {
    if (this.of(notebook).doing) {
      return null;
    }
    this._set(notebook, { doing, error: null });
    try {
      const result = await work();
      this._set(notebook, NOTHING);
      return result;
    } catch (error) {
      this._set(notebook, { doing: null, error: asApiError(error) });
      return null;
    }
  }

  private _set(notebook: string, state: IRunningState): void {
    this._states.set(notebook, state);
    this._changed.emit(notebook);
  }

  private readonly _changed = new Signal<this, string>(this);
  private readonly _states = new Map<string, IRunningState>();
}

export namespace Running {
  export interface IOptions {
    records: IRecords;
    values: IParameterValues;
    /** What an open notebook declares; `null` for one that is not open. */
    parameters: (notebook: string) => readonly IParameter[] | null;
    /** Save the notebook where it is open and has changes. Rejects when it cannot be saved. */
    save: (notebook: string) => Promise<void>;
    words: {
      nothingToResume: string;
      runInstead: string;
      parameter: (name: string) => string;
      correctIt: string;
    };
  }
}
