/** What the features offer each other, and other extensions. */
import type { NotebookPanel } from '@jupyterlab/notebook';
import { Token } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import type {
  Api,
  ApiError,
  IAlert,
  IBackfill,
  IDrift,
  IEvent,
  ILiveValue,
  IPipeline,
  IPipelineSummary,
  IProposal,
  IRun,
  ISchedule,
  IService,
  ITrigger,
  IVersion,
  Missed,
  Overlap
} from './api';

/** What is known about the open notebook. */
export interface ICompilation {
  /** The notebook that has or had the focus last; `null` when none is open. */
  readonly notebook: NotebookPanel | null;
  /** The last good answer for this notebook; it stays while a newer one is on its way. */
  readonly pipeline: IPipeline | null;
  /** Why the last request failed; empty when it did not. */
  readonly error: string;
  /** True from an edit until its answer. */
  readonly pending: boolean;
  /** 1-based position of the active cell among all cells, 0 without one. */
  readonly activeCell: number;
}

/** Keeps the pipeline of the open notebook compiled while its author edits. */
export interface ICompiler {
  readonly current: ICompilation;
  readonly changed: ISignal<ICompiler, ICompilation>;
  /** Compile now, without waiting for a pause in editing. */
  refresh(): Promise<void>;
}

export const ICompiler = new Token<ICompiler>(
  'jupyter-pipelines:ICompiler',
  'Keeps the pipeline of the open notebook compiled while its author edits.'
);

/** Something the server knows. While it is used it is kept as it is there; the last good answer stays, dated. */
export interface ILive<T> {
  /** `null` before the first answer. */
  readonly value: T | null;
  /** Why the last question failed; `null` when it did not. */
  readonly error: ApiError | null;
  /** When the value was had. */
  readonly asOf: Date | null;
  readonly changed: ISignal<ILive<T>, void>;
  /** Keep it as it is on the server, until the answer is disposed. In React: `useLive`. */
  use(): IDisposable;
  /** Ask now. Never rejects. */
  refresh(): Promise<void>;
  /** What is known to be the value now, from the answer to a request of ours. */
  set(value: T): void;
}

/** What the server has on record of one notebook. */
export interface INotebookRecords {
  /** Path below the server's root directory. */
  readonly notebook: string;
  /** `null` within when nothing of it is on record. */
  readonly summary: ILive<IPipelineSummary | null>;
  /** The last 20, newest first. */
  readonly runs: ILive<IRun[]>;
  readonly schedules: ILive<ISchedule[]>;
  readonly triggers: ILive<ITrigger[]>;
  /** Newest first. */
  readonly backfills: ILive<IBackfill[]>;
  /** Its own, and those for all notebooks. */
  readonly alerts: ILive<IAlert[]>;
  /** Newest first. */
  readonly versions: ILive<IVersion[]>;
}

/** What the server has on record. */
export interface IRecords {
  readonly api: Api;
  /** The line to the server; `connected` is false while it is not heard. */
  readonly events: {
    readonly connected: boolean;
    readonly connectedChanged: ISignal<unknown, boolean>;
    readonly received: ISignal<unknown, IEvent>;
  };
  readonly service: ILive<IService>;
  readonly pipelines: ILive<IPipelineSummary[]>;
  /** Of all notebooks. */
  readonly schedules: ILive<ISchedule[]>;
  /** Always the same for the same path (without a drive). */
  of(notebook: string): INotebookRecords;
  /** A new one at each call: keep it. */
  run(id: string): ILive<IRun>;
  /** Ask again for all that is shown: of something that many of them tell. */
  renew(): void;
  /** Anything else, asked for again after each event that concerns it. */
  live<T>(
    fetch: (signal: AbortSignal) => Promise<T>,
    concerns: (event: IEvent) => boolean
  ): ILive<T>;
}

export const IRecords = new Token<IRecords>(
  'jupyter-pipelines:IRecords',
  'What the server has on record of pipelines: runs, schedules, versions, the service.'
);

/** How far the open notebook is from what is published of it. */
export interface IDriftState {
  /** Its path; empty when none is open. */
  readonly path: string;
  /** The last good answer; `null` before the first. Its `version` is empty when nothing was published. */
  readonly drift: IDrift | null;
  /** Why the last question failed; `null` when it did not. */
  readonly error: ApiError | null;
}

/** Compares the open notebook with its published version while its author edits. */
export interface IDrifts {
  readonly current: IDriftState;
  readonly changed: ISignal<IDrifts, IDriftState>;
  /** 1-based positions of the cells that are not as they were published. */
  readonly changedCells: ReadonlySet<number>;
  /** Ask now. Never rejects. */
  refresh(): Promise<void>;
}

export const IDrifts = new Token<IDrifts>(
  'jupyter-pipelines:IDrifts',
  'Compares the open notebook with its published version while its author edits.'
);

/** What is filled in for a parameter, as text; `null` is Python's `None`. */
export type Given = string | null;

/** What is filled in, by name; parameters that stay as the notebook has them are not among them. */
export type AllGiven = Readonly<Record<string, Given>>;

/** What was filled in for the next run of each notebook. */
export interface IParameterValues {
  /** By the notebook's path. */
  of(notebook: string): AllGiven;
  /** Tells the path of the notebook. */
  readonly changed: ISignal<IParameterValues, string>;
  /** `undefined`: as the notebook has it. A secret is written nowhere. */
  give(
    notebook: string,
    name: string,
    given: Given | undefined,
    secret?: boolean
  ): void;
  /** All as the notebook has them. */
  reset(notebook: string): void;
  /** The notebook has another path now. */
  move(from: string, to: string): void;
}

export const IParameterValues = new Token<IParameterValues>(
  'jupyter-pipelines:IParameterValues',
  'What was filled in for the next run of each notebook.'
);

/** Which part of a notebook is run; all of it when nothing is said. */
export type IPart =
  | { only: string }
  | { from_step: string }
  | { until: string }
  | Record<string, never>;

/** What is being done about the runs of a notebook. */
export interface IRunningState {
  /** `null` when nothing is. */
  readonly doing:
    | 'saving'
    | 'starting'
    | 'cancelling'
    | 'resuming'
    | 'pausing'
    | 'verifying'
    | null;
  /** Why the last thing could not be done; `null` when it could. Its `field` names a parameter (`parameters.x`). */
  readonly error: ApiError | null;
}

/** Starts runs of notebooks, and stops them. What goes wrong is kept in the state: nothing rejects. */
export interface IRunning {
  of(notebook: string): IRunningState;
  /** Tells the path of the notebook. */
  readonly changed: ISignal<IRunning, string>;
  /** Run it with what is filled in; an open notebook is saved first. `null` when it could not be started. */
  run(notebook: string, part?: IPart): Promise<IRun | null>;
  /** Cancel the runs that go on. */
  cancel(notebook: string): Promise<void>;
  /** Continue the last run, which did not complete. */
  resume(notebook: string): Promise<IRun | null>;
  /** Have all its schedules and triggers start no more runs, or start them again. */
  pause(notebook: string, paused: boolean): Promise<void>;
  /** Compare what it gives as a pipeline with what "Restart & Run All" gives. */
  verify(notebook: string): Promise<void>;
  /** Forget what went wrong. */
  clear(notebook: string): void;
}

export const IRunning = new Token<IRunning>(
  'jupyter-pipelines:IRunning',
  'Starts runs of notebooks, and stops them.'
);

export interface ISettingValues {
  /** Show in the notebook what cells are to the pipeline. */
  readonly pills: boolean;
  /** Whether `%pipeline` is loaded into the kernels of notebooks. */
  readonly magics: boolean;
  /** Of new schedules; empty for the browser's. */
  readonly timezone: string;
  readonly missed: Missed;
  readonly overlap: Overlap;
}

/** What the user set for the pipelines of all notebooks. */
export interface ISettings {
  readonly value: ISettingValues;
  readonly changed: ISignal<ISettings, void>;
}

export const ISettings = new Token<ISettings>(
  'jupyter-pipelines:ISettings',
  'What the user set for the pipelines of all notebooks.'
);

/** The values that cross the edges of the open notebook's pipeline, as its kernel has them now. */
export interface ILiveValues {
  /** By the name of the variable; empty without a kernel, and before anything was executed. */
  readonly values: ReadonlyMap<string, ILiveValue>;
  readonly changed: ISignal<ILiveValues, void>;
}

export const ILiveValues = new Token<ILiveValues>(
  'jupyter-pipelines:ILiveValues',
  'What the kernel of the open notebook holds of the values that cross its edges.'
);

/** What cells could be tagged as, until the author accepts or rejects it. */
export interface ISuggestions {
  /** Of one notebook, by the id of the cell; empty where nothing is suggested. */
  of(notebook: NotebookPanel): ReadonlyMap<string, IProposal>;
  /** Told with the notebook. */
  readonly changed: ISignal<ISuggestions, NotebookPanel>;
  /** Tag cells as suggested, all of them unless some are named. */
  accept(notebook: NotebookPanel, cells?: readonly string[]): void;
  reject(notebook: NotebookPanel, cells?: readonly string[]): void;
}

export const ISuggestions = new Token<ISuggestions>(
  'jupyter-pipelines:ISuggestions',
  'What cells could be tagged as, until the author accepts or rejects it.'
);

export namespace CommandIDs {
  export const tagStep = 'jupyter-pipelines:tag-step';
  export const tagSetup = 'jupyter-pipelines:tag-setup';
  export const tagParameters = 'jupyter-pipelines:tag-parameters';
  export const tagSkip = 'jupyter-pipelines:tag-skip';
  export const untag = 'jupyter-pipelines:untag';
  export const stepOptions = 'jupyter-pipelines:step-options';
  export const suggestSteps = 'jupyter-pipelines:suggest-steps';
  export const goToCell = 'jupyter-pipelines:go-to-cell';
  export const openNotebook = 'jupyter-pipelines:open-notebook';
  export const showPanel = 'jupyter-pipelines:show-panel';
  export const openGraph = 'jupyter-pipelines:open-graph';
  export const schedule = 'jupyter-pipelines:schedule';
  export const run = 'jupyter-pipelines:run';
  export const runWithParameters = 'jupyter-pipelines:run-with-parameters';
  export const runFrom = 'jupyter-pipelines:run-from';
  export const runUntil = 'jupyter-pipelines:run-until';
  export const runOnly = 'jupyter-pipelines:run-only';
  export const resume = 'jupyter-pipelines:resume';
  export const cancel = 'jupyter-pipelines:cancel';
  export const verify = 'jupyter-pipelines:verify';
  export const pause = 'jupyter-pipelines:pause';
  export const relink = 'jupyter-pipelines:relink';
  /** About the notebook that is chosen in the file browser. */
  export const runFile = 'jupyter-pipelines:run-file';
  export const scheduleFile = 'jupyter-pipelines:schedule-file';
  export const startService = 'jupyter-pipelines:start-service';
  export const openPipelines = 'jupyter-pipelines:open-pipelines';
  export const publish = 'jupyter-pipelines:publish';
  export const review = 'jupyter-pipelines:review';
  export const openRun = 'jupyter-pipelines:open-run';
  export const openExecuted = 'jupyter-pipelines:open-executed';
  export const backfill = 'jupyter-pipelines:backfill';
  export const showWarehouse = 'jupyter-pipelines:show-warehouse';
  /** Of a table or a column, into the cell that is edited. */
  export const insertName = 'jupyter-pipelines:insert-name';
}
