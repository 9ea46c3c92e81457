/** The history of a notebook as a grid: what its columns and rows are, and what is said of a run. Pure. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type {
  BackfillState,
  IBackfill,
  IRun,
  IRunFilter,
  ISchedule,
  IStepBrief,
  ITrigger,
  IVersion,
  RunState,
  Starter
} from '../../api';

/** How many columns the grid has at most. */
export const COLUMNS = 20;

// ---- Filters ----

export type Outcome = 'going-on' | 'completed' | 'failed' | 'cancelled';
export type Age = 'day' | 'week' | 'month';

/** Which runs are looked at; empty for all. */
export interface IFilters {
  readonly outcome: Outcome | '';
  readonly by: Starter | '';
  readonly age: Age | '';
}

export const ALL: IFilters = { outcome: '', by: '', age: '' };

const DAYS: Record<Age, number> = { day: 1, week: 7, month: 30 };
const RUN_STATES: Record<Outcome, RunState[]> = {
  'going-on': ['pending', 'running'],
  completed: ['completed'],
  failed: ['failed', 'crashed'],
  cancelled: ['cancelled']
};
const BACKFILL_STATES: Record<Outcome, BackfillState[]> = {
  'going-on': ['running', 'paused', 'stopped'],
  completed: ['completed'],
  failed: ['failed', 'stopped'],
  cancelled: ['cancelled']
};

export function isFiltered(filters: IFilters): boolean {
  return filters.outcome !== '' || filters.by !== '' || filters.age !== '';
}

/** Seconds since the epoch from which on runs are looked at; 0 for all. */
export function since({ age }: IFilters, now: Date): number {
  return age ? now.getTime() / 1000 - DAYS[age] * 86_400 : 0;
}

/** What to ask for, so that the runs of backfills do not push out all others; `null` when only backfills are wanted. */
export function queryOf(
  notebook: string,
  filters: IFilters,
  now: Date = new Date()
): IRunFilter | null {
  if (filters.by === 'backfill') {
    return null;
  }
  return {
    notebook,
    limit: COLUMNS,
    by: filters.by ? [filters.by] : ['hand', 'schedule'],
    ...(filters.outcome ? { state: RUN_STATES[filters.outcome] } : {}),
    ...(filters.age ? { since: since(filters, now) } : {})
  };
}

// ---- Columns and rows ----

/** A run, or all the runs of a backfill as one thing. `time` is in seconds since the epoch. */
export type Column =
  | { kind: 'run'; id: string; time: number; run: IRun }
  | { kind: 'backfill'; id: string; time: number; backfill: IBackfill };

/** The newest columns, oldest first. Runs are given newest first. */
export function columnsOf(
  runs: readonly IRun[],
  backfills: readonly IBackfill[],
  filters: IFilters = ALL,
  now: Date = new Date()
): Column[] {
  const columns: Column[] = [];
  let time = Infinity;
  for (const run of runs) {
    if (run.backfill) {
      continue;
    }
    // One that has not begun stands where it was asked for: before those that are older.
    time = run.started || time;
    columns.push({ kind: 'run', id: run.id, time, run });
  }
  const wanted = filters.outcome && BACKFILL_STATES[filters.outcome];
  for (const backfill of filters.by && filters.by !== 'backfill'
    ? []
    : backfills) {
    if (
      (!wanted || wanted.includes(backfill.state)) &&
      backfill.created >= since(filters, now)
    ) {
      const { id, created } = backfill;
      columns.push({ kind: 'backfill', id, time: created, backfill });
    }
  }
  // A stable sort keeps the server's order among equals.
  return columns
    .sort((a, b) => (a.time < b.time ? 1 : a.time > b.time ? -1 : 0))
    .slice(0, COLUMNS)
    .reverse();
}

/** The steps that there are or were: in the notebook's order, and those gone by where they were. */
export function rowsOf(
  steps: readonly string[],
  columns: readonly Column[]
): string[] {
  const rows = [...steps];
  for (const column of [...columns].reverse()) {
    if (column.kind === 'backfill') {
      continue;
    }
    column.run.steps.forEach(({ name }, index, all) => {
      if (!rows.includes(name)) {
        const before = all[index - 1]?.name;
        rows.splice(before ? rows.indexOf(before) + 1 : 0, 0, name);
      }
    });
  }
  return rows;
}

export function stepOf(run: IRun, name: string): IStepBrief | null {
  return run.steps.find(step => step.name === name) ?? null;
}

// ---- Lengths of time ----

/** Seconds that something took, or has taken until now; `null` when it has not begun. */
export function lengthOf(
  { started, ended }: { started: number; ended: number },
  now: Date
): number | null {
  if (!started) {
    return null;
  }
  return Math.max(0, (ended || now.getTime() / 1000) - started);
}

/** How high the bars of columns are, from 0 to 1: as long as they took against the longest. */
export function heightsOf(columns: readonly Column[], now: Date): number[] {
  const lengths = columns.map(column =>
    column.kind === 'run' ? (lengthOf(column.run, now) ?? 0) : 0
  );
  const longest = Math.max(...lengths, 0);
  return lengths.map(length => (longest > 0 ? length / longest : 0));
}

export function isGoingOn(state: RunState): boolean {
  return state === 'pending' || state === 'running';
}

// ---- What is said of a run ----

/** What started a run, in words. */
export function startedBy(
  run: IRun,
  known: {
    schedules?: readonly ISchedule[] | null;
    triggers?: readonly ITrigger[] | null;
  },
  trans: TranslationBundle
): string {
  if (run.backfill) {
    return trans.__('Backfill');
  }
  if (run.schedule) {
    const schedule = known.schedules?.find(({ id }) => id === run.schedule);
    if (schedule) {
      return trans.__('Schedule: %1', schedule.name || schedule.words);
    }
    const trigger = known.triggers?.find(({ id }) => id === run.schedule);
    return trigger
      ? trans.__('Trigger: %1', trigger.name || trigger.words)
      : trans.__('A schedule or trigger');
  }
  if (run.resumed_from) {
    return trans.__('By hand, continuing another run');
  }
  return run.parent ? trans.__('A grid of parameters') : trans.__('By hand');
}

/** Which part of the pipeline was asked for; empty for all of it. */
export function partOf(run: IRun, trans: TranslationBundle): string {
  if (run.only) {
    return trans.__('Only %1', run.only);
  }
  if (run.from_step) {
    return trans.__('From %1', run.from_step);
  }
  return run.until ? trans.__('Until %1', run.until) : '';
}

/** `v7` for the seventh version that was published; for others the beginning of the id. Versions: newest first. */
export function versionOf(
  run: IRun,
  versions: readonly IVersion[] | null,
  trans: TranslationBundle
): string {
  if (!run.published) {
    return trans.__('The file as it was');
  }
  const index = versions?.findIndex(({ id }) => id === run.published) ?? -1;
  return versions && index >= 0 && versions.length < 50
    ? `v${versions.length - index}`
    : run.published.slice(0, 8);
}

/** A value of a parameter in one line. */
export function valueText(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

/** How the parameters of a run differ from those of another; by name. */
export function parameterChanges(
  run: IRun,
  before: IRun
): { name: string; before: string | null; after: string | null }[] {
  const names = [
    ...new Set([
      ...Object.keys(before.parameters),
      ...Object.keys(run.parameters)
    ])
  ].sort();
  const text = (from: IRun, name: string): string | null =>
    name in from.parameters ? valueText(from.parameters[name]) : null;
  return names
    .map(name => ({
      name,
      before: text(before, name),
      after: text(run, name)
    }))
    .filter(change => change.before !== change.after);
}
