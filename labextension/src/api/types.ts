/** The server's answers; see its `openapi.json`. Times are seconds since the epoch, 0 for none, unless they are texts. */
import type { JSONObject, JSONValue } from '@lumino/coreutils';

// ---- What a notebook means ----

export type Severity = 'error' | 'warning' | 'info';

/** A place in a notebook; both are 1-based, `cell` among all cells. */
export interface ILocation {
  cell: number;
  line: number;
}

/** One change to a notebook's cells: what the cell's tags or its source become, or a cell that is put before it. */
export type Edit =
  | { kind: 'tags'; cell: number; tags: string[] }
  | { kind: 'source'; cell: number; source: string }
  | { kind: 'insert'; cell: number; tags: string[]; source: string };

/** What can be done about a diagnostic by a click. */
export interface IFix {
  title: string;
  edits: Edit[];
}

export interface IDiagnostic {
  code: string;
  severity: Severity;
  message: string;
  fix: string;
  location: ILocation | null;
  step: string | null;
  /** Left out by servers that offer none. */
  fixes?: IFix[];
}

/** A value that a step loads, and the step that wrote it. */
export interface IInput {
  name: string;
  producer: string;
}

/** A step as the compiler sees it. */
export interface IStep {
  name: string;
  /** 1-based positions among all cells. */
  cells: number[];
  inputs: IInput[];
  outputs: string[];
  /** As the source names them. */
  files_read?: string[];
  files_written?: string[];
  /** Of the warehouse. */
  tables_read?: string[];
  tables_written?: string[];
  /** `resources`: what it needs a slot of. */
  options?: { resources: string[] };
}

/** One reason why `target` runs after `source`. */
export interface IEdge {
  source: string;
  target: string;
  kind: string;
  name: string;
  certain: boolean;
  explanation: string;
  /** Where the value is written; left out or `null` where none is. */
  written?: ILocation | null;
}

export interface IParameter {
  name: string;
  annotation: string;
  default: unknown;
  description: string;
  /** JSON schema of its values. */
  schema?: JSONObject;
  /** It has no default: every run has to give it. */
  required?: boolean;
}

export interface IPipeline {
  steps: IStep[];
  edges: IEdge[];
  diagnostics: IDiagnostic[];
  parameters: IParameter[];
}

/** A table in a picture, in pixels; `rows` are its columns. */
export interface ILineageBox {
  name: string;
  /** By this notebook. */
  built: boolean;
  rows: string[];
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Of which columns the tables are made that a notebook builds in SQL. */
export interface ILineage {
  tables: {
    name: string;
    step: string;
    /** 1-based position among all cells. */
    cell: number;
    how: string;
    reads: string[];
    columns: {
      name: string;
      sources: { table: string; column: string; certain: boolean }[];
    }[];
  }[];
  picture: {
    width: number;
    height: number;
    /** The height of a row. */
    row: number;
    boxes: ILineageBox[];
    lines: { path: string; certain: boolean; title: string }[];
    summary: string;
  };
}

/** A cell that could be tagged, and why so. */
export interface IProposal {
  /** 1-based position among all cells. */
  cell: number;
  role: 'parameters' | 'setup' | 'step' | 'skip';
  /** Of the step; empty for other roles. */
  name: string;
  reason: string;
}

/** What is proposed for a notebook that names no steps; `reasons` also say why nothing is. */
export interface ISuggestion {
  cells: IProposal[];
  reasons: string[];
}

/** A variable in a live kernel; `size` in bytes, `null` where it cannot be told. */
export interface ILiveValue {
  type: string;
  size: number | null;
  summary: string;
  /** Can it be handed from one step to another? */
  carried: boolean;
  /** Why not. */
  reason: string;
}

// ---- Runs ----

export type RunState =
  'pending' | 'running' | 'completed' | 'failed' | 'cancelled' | 'crashed';

export type StepState =
  | 'pending'
  | 'running'
  | 'completed'
  | 'reused'
  | 'skipped'
  | 'failed'
  | 'timed-out'
  | 'cancelled'
  | 'crashed'
  | 'refused';

/** A step of a run, as lists of runs show it. */
export interface IStepBrief {
  name: string;
  state: StepState;
  started: number;
  ended: number;
  attempts: number;
  waiting: string;
  error_kind: string;
  /** 1-based position among all cells. */
  error_cell: number | null;
  reused_from: string;
}

export interface IRun {
  id: string;
  name: string;
  notebook: string | null;
  version: string;
  state: RunState;
  parameters: JSONObject;
  started: number;
  ended: number;
  steps: IStepBrief[];
  executed_notebook: string | null;
  error: string;
  resumed_from: string;
  parent: string;
  only: string;
  from_step: string;
  until: string;
  published: string;
  schedule: string;
  /** What asked for it, by the id in `schedule`, is a trigger. */
  triggered: boolean;
  scheduled_time: number;
  backfill: string;
  pipeline: string;
  upstream: string;
  /** What it waits for before it begins; empty for nothing. */
  waiting: string;
}

/** A value that a step left; `size` in bytes. */
export interface IOutput {
  name: string;
  type: string;
  size: number;
  summary: string;
}

/** A step of a run, whole. */
export interface IRunStep extends IStepBrief {
  /** Left out by servers that do not tell. */
  inputs?: (IOutput & { producer: string })[];
  outputs: IOutput[];
  error: string;
  error_first_line: string;
  fix: string;
  files_written: string[];
  checks?: ICheck[];
}

/** A line of a run's log; `cell` is 1-based among all cells. */
export interface ILogLine {
  time: number;
  kind: 'progress' | 'stdout' | 'stderr' | 'error';
  text: string;
  step: string;
  cell: number | null;
}

/** What can be asked of a new run. */
export interface IRunRequest {
  notebook: string;
  parameters?: JSONObject;
  version?: string;
  only?: string;
  from_step?: string;
  until?: string;
  reuse?: boolean;
}

/** What asks for runs; a trigger counts as a schedule. */
export type Starter = 'hand' | 'schedule' | 'backfill';

/** Which runs to list; the newest come first. */
export interface IRunFilter {
  notebook?: string;
  state?: RunState[];
  schedule?: string;
  backfill?: string;
  by?: Starter[];
  since?: number;
  until?: number;
  limit?: number;
  after?: string;
}

// ---- Versions ----

export interface IVersion {
  id: string;
  pipeline: string;
  notebook: string | null;
  time: number;
  author: string;
  message: string;
  published: boolean;
  pinned: boolean;
  is_new: boolean;
  notes: IDiagnostic[];
}

export type ChangeKind = 'added' | 'removed' | 'changed' | 'moved';

/** How far a notebook is from its published version; cells are 1-based. */
export interface IDrift {
  /** Empty when nothing was published. */
  version: string;
  cells: { kind: ChangeKind; number: number | null; before: number | null }[];
  files: string[];
  settings: boolean;
  counts: Record<string, number>;
  clean: boolean;
}

export interface IChange {
  name: string;
  before: string | null;
  after: string | null;
}

/** A version against another, or against the notebook as it is saved; `lines` are those of a unified diff. */
export interface IVersionDiff {
  old: string;
  new: string;
  cells: {
    kind: ChangeKind;
    before: number | null;
    after: number | null;
    first_line: string;
    moved: boolean;
    lines: string[];
    marks: IChange[];
  }[];
  parameters: IChange[];
  options: IChange[];
  files: { kind: ChangeKind; path: string; lines: string[] }[];
  environment: IChange[];
}

// ---- What starts runs ----

export type Window = 'hour' | 'day' | 'week' | 'month' | 'quarter' | 'year';
export type Missed = 'skip' | 'latest' | 'all';
export type Overlap = 'queue' | 'skip' | 'parallel' | 'cancel-previous';

/** When a schedule runs, and how: exactly one of the first five. */
export interface IScheduleSpec {
  cron?: string;
  interval?: string;
  rrule?: string;
  phrase?: string;
  preset?: string;
  name?: string;
  zone?: string;
  anchor?: string;
  start?: string;
  end?: string;
  count?: number;
  parameters?: JSONObject;
  window?: Window | null;
  missed?: Missed;
  overlap?: Overlap;
  max_parallel?: number;
  paused?: boolean;
  done_by?: string | null;
  timeout?: string | null;
}

/** A schedule as it is asked for; `when` may be words, a cron expression, an interval. */
export interface IScheduleRequest {
  notebook: string;
  when: string | IScheduleSpec;
  timezone?: string;
  missed?: Missed;
  overlap?: Overlap;
  window?: Window;
  done_by?: string;
  timeout?: string;
  name?: string;
  parameters?: JSONObject;
  version?: string;
  /** Always run the notebook as it is saved, instead of a version. */
  follow?: boolean;
  /** Follow a git ref. */
  ref?: string;
  verify?: boolean;
}

export interface ISchedule {
  id: string;
  name: string;
  notebook: string | null;
  pipeline: string;
  version: string;
  schedule: IScheduleSpec;
  /** What is published for it: `file`, as it is saved, or `ref:NAME`; else empty. */
  follow?: string;
  verify?: boolean;
  /** Why what it follows was not published, where it was not. */
  followed?: { state: 'current' | 'refused'; problem: string } | null;
  active_since: string;
  paused: boolean;
  words: string;
  expression: string;
  /** ISO 8601; `null` for none. */
  next: string | null;
  waiting: string[];
  problem: string;
}

/** How a schedule is understood, and its next times (ISO 8601). */
export interface IPreview {
  schedule: IScheduleSpec;
  words: string;
  expression: string;
  times: {
    time: string;
    window: { start: string; end: string } | null;
    deadline: string | null;
    notes: string[];
    /** Those that the schedule gives, evaluated. */
    parameters?: JSONObject;
  }[];
  clock_changes: string[];
}

export interface ITrigger {
  id: string;
  name: string;
  notebook: string | null;
  pipeline: string;
  version: string;
  kind: 'after' | 'file' | 'update' | 'token' | 'event';
  cause: JSONObject;
  words: string;
  parameters: JSONObject;
  overlap: string;
  paused: boolean;
  active_since: string;
  waiting: string[];
  problem: string;
}

export interface ITriggerRequest {
  notebook: string;
  after?: string[];
  on?: 'success' | 'failure' | 'always';
  all_of?: boolean;
  file?: string;
  together?: boolean;
  /** `true`: the tables and files that the notebook reads. */
  updated?: string[] | true;
  token?: boolean;
  event?: string;
  parameters?: JSONObject;
  name?: string;
  version?: string;
  overlap?: Overlap;
}

export type BackfillState =
  'running' | 'paused' | 'stopped' | 'completed' | 'failed' | 'cancelled';

/** One data window of a backfill. */
export interface IBackfillWindow {
  key: string;
  start: string;
  end: string;
  parameters: JSONObject;
  state:
    | 'waiting'
    | 'running'
    | 'completed'
    | 'failed'
    | 'crashed'
    | 'cancelled'
    | 'done'
    | 'skipped';
  run: string;
  attempt: number;
  error: string;
  before: string;
}

export interface IBackfill {
  id: string;
  notebook: string | null;
  pipeline: string;
  version: string;
  schedule: string;
  window: Window;
  timezone: string;
  parallel: number;
  keep_going: boolean;
  created: number;
  state: BackfillState;
  notes: string[];
  problem: string;
  /** How many windows are in each state. */
  counts: Record<string, number>;
  size: number;
}

export interface IBackfillDetail extends IBackfill {
  windows: IBackfillWindow[];
}

export interface IBackfillRequest {
  notebook: string;
  /** ISO dates, both included. */
  first: string;
  last: string;
  schedule?: string;
  window?: Window;
  timezone?: string;
  parameters?: JSONObject;
  parallel?: number;
  order?: 'oldest-first' | 'newest-first';
  keep_going?: boolean;
  again?: boolean;
  version?: string;
}

// ---- Alerts ----

export type AlertCause = 'failure' | 'recovery' | 'late';

export interface IAlert {
  id: string;
  notebook: string | null;
  on: AlertCause[];
  to: string;
  repeat: number | null;
  slow: number | null;
  since: number;
  sent: number;
  last_sent: number | null;
  waiting: number;
  dropped: number;
  problem: string;
}

/** What became of a sample; `problem` and `fix` are empty when it was taken. */
export interface IDelivery {
  to: string;
  delivered: boolean;
  problem: string;
  fix: string;
}

export interface IAlertRequest {
  notebook?: string;
  to: string;
  on?: AlertCause[];
  repeat?: string;
  slow?: number;
}

// ---- Limits ----

/** Who has a slot, or waits for one. */
export interface ISlotHolder {
  run: string;
  step: string;
  since: number;
}

/** How many runs of a pipeline, or steps that need a resource, go on at once. */
export interface ILimit {
  kind: 'pipeline' | 'resource';
  /** The pipeline's name or the path of its notebook; or the resource. */
  name: string;
  slots: number | null;
  running: ISlotHolder[];
  waiting: ISlotHolder[];
}

// ---- All pipelines, and the service ----

export type PipelineState =
  | 'draft'
  | 'active'
  | 'paused'
  | 'running'
  | 'failing'
  | 'late'
  | 'will-fail'
  | 'offline';

/** A notebook that has runs, versions, schedules or triggers. */
export interface IPipelineSummary {
  notebook: string;
  name: string;
  state: PipelineState;
  owner: string;
  /** `label` is short (`v7`); `null` when nothing was published. */
  version: { id: string; label: string } | null;
  /** The newest first, at most 20. */
  last_runs: Pick<IRun, 'id' | 'state' | 'started' | 'ended'>[];
  /** ISO 8601; `null` for none. */
  next: string | null;
  schedules: number;
  triggers: number;
  /** The file is not where it was. */
  missing: boolean;
  problem: string;
  /** Of the warehouse. */
  tables_written?: string[];
}

/** What goes of old runs, or has gone; sizes in bytes. */
export interface IFreed {
  runs: string[];
  bytes: number;
  /** Of the values that stay. */
  kept_bytes: number;
}

/** How long runs are kept; `null` sets no limit. */
export interface IRetention {
  keep_runs: number | null;
  keep_days: number | null;
  /** Bytes. */
  keep_size: number | null;
}

/** A comparison of a pipeline with "Restart & Run All". */
export interface IVerification {
  id: string;
  state:
    'running' | 'equivalent' | 'different' | 'refused' | 'failed' | 'cancelled';
  started: number;
  ended: number;
  /** What it does just now, while it goes on. */
  doing: string;
  /** Why it could not be carried out. */
  problem: string;
  /** The report in words, once it has ended. */
  text: string;
}

// ---- The warehouse ----

/** `rows` are about right, `null` for a view; `changed` is `null` where it is not known. */
export interface ITable {
  schema: string;
  name: string;
  kind: 'table' | 'view';
  columns: number;
  rows: number | null;
  changed: number | null;
}

export interface IColumn {
  name: string;
  type: string;
  nullable: boolean;
}

/** An external source; `problem` says why one that is declared wrongly has no type and no place. */
export interface ISource {
  name: string;
  type: 'postgres' | 'files' | '';
  place: string;
  problem: string;
}

/** A table with its columns and first rows; values are texts, cut where they are long. */
export interface ITableDetails {
  table: ITable;
  columns: IColumn[];
  preview: (string | null)[][];
}

/** How a check of a table came out in a run. */
export interface ICheck {
  table: string;
  name: string;
  status: 'passed' | 'warned' | 'failed';
  message: string;
}

export interface IService {
  state: 'running' | 'starting' | 'stopped' | 'unreachable';
  /** A server of somebody else's: it can be neither started nor stopped from here. */
  configured: boolean;
  since: number;
  parts: Record<string, { state: string; restarts: number }>;
}

// ---- Events ----

/** A message of the WebSocket `events`. */
export interface IEvent {
  id: string;
  kind:
    | 'hello'
    | 'reset'
    | 'run'
    | 'schedule'
    | 'trigger'
    | 'backfill'
    | 'alert'
    | 'service'
    | 'version'
    | 'verification'
    | 'output';
  subject: string;
  notebook: string | null;
  time: number;
  data: JSONValue;
}
