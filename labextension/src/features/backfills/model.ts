/** Backfills: what is asked for, what is wrong with it, and how far one has come. Pure. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type {
  IBackfill,
  IBackfillRequest,
  IBackfillWindow,
  IParameter,
  ISchedule,
  Window
} from '../../api';
import type { AllGiven } from '../../tokens';
import { INTERVALS, windowPresets } from '../parameters/bound';
import { isExpression, valuesOf, writtenOf } from '../parameters/model';

/** What somebody has filled in so far; texts as they were typed. */
export interface IDraft {
  first: string;
  last: string;
  window: Window;
  /** Empty for that of the server's machine. */
  timezone: string;
  /** What is left out is as in the notebook, or as the schedule has it. */
  parameters: AllGiven;
  /** Which of them are not to be written down. */
  secrets: string[];
  parallel: string;
  order: 'oldest-first' | 'newest-first';
  keepGoing: boolean;
  again: boolean;
  /** The schedule whose windows, zone and parameters they are; empty for windows of one's own. */
  schedule: string;
  /** `published`, `file`, or empty: what is published, and the file where nothing is. */
  version: '' | 'file';
}

function isoDate(date: Date): string {
  const pad = (part: number): string => String(part).padStart(2, '0');
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
}

/** The first and the last of the `days` days that are over. */
export function lastDays(
  days: number,
  now: Date = new Date()
): { first: string; last: string } {
  const back = (count: number): string =>
    isoDate(new Date(now.getFullYear(), now.getMonth(), now.getDate() - count));
  return { first: back(days), last: back(1) };
}

export function newDraft(now: Date = new Date()): IDraft {
  return {
    ...lastDays(7, now),
    window: 'day',
    timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    parameters: {},
    secrets: [],
    parallel: '1',
    order: 'oldest-first',
    keepGoing: false,
    again: false,
    schedule: '',
    version: ''
  };
}

/** Gives a parameter the data window of its run. */
export const EXPRESSION = '{{ interval_start.date() }}';

/** What the window, and the chosen schedule, give to parameters. */
export function presetsOf(
  draft: IDraft,
  schedules: readonly ISchedule[],
  parameters: readonly IParameter[]
): AllGiven {
  const chosen = schedules.find(({ id }) => id === draft.schedule);
  return {
    ...windowPresets(parameters),
    ...writtenOf(chosen?.schedule.parameters ?? {}, parameters)
  };
}

/** What is given, as far as the notebook has it; what is missing is the server's to tell. */
function understood(
  draft: IDraft,
  parameters: readonly IParameter[]
): ReturnType<typeof valuesOf> {
  return valuesOf(
    parameters.filter(({ name }) => name in draft.parameters),
    draft.parameters,
    true
  );
}

/** What the server is asked. */
export function requestOf(
  notebook: string,
  draft: IDraft,
  parameters: readonly IParameter[]
): IBackfillRequest {
  return {
    notebook,
    first: draft.first,
    last: draft.last,
    ...(draft.schedule
      ? { schedule: draft.schedule }
      : {
          window: draft.window,
          ...(draft.timezone ? { timezone: draft.timezone } : {}),
          ...(draft.version ? { version: draft.version } : {})
        }),
    parameters: understood(draft, parameters).values,
    parallel: Number(draft.parallel),
    order: draft.order,
    keep_going: draft.keepGoing,
    again: draft.again
  };
}

/** Can the server be asked about it? */
export function isFilledIn(
  draft: IDraft,
  parameters: readonly IParameter[],
  trans: TranslationBundle
): boolean {
  const wrong = understood(draft, parameters).problems;
  return Object.keys({ ...problemsOf(draft, trans), ...wrong }).length === 0;
}

/** What is wrong before the server is asked, by field; those of parameters have words of their own. */
export function problemsOf(
  draft: IDraft,
  trans: TranslationBundle
): Partial<Record<'first' | 'last' | 'parallel', string>> {
  const parallel = Number(draft.parallel);
  return {
    ...(draft.first ? {} : { first: trans.__('Say where it begins.') }),
    ...(draft.last
      ? draft.first && draft.last < draft.first
        ? { last: trans.__('The end is before the beginning.') }
        : {}
      : { last: trans.__('Say where it ends.') }),
    ...(Number.isInteger(parallel) && parallel >= 1 && parallel <= 64
      ? {}
      : { parallel: trans.__('A whole number from 1 to 64.') })
  };
}

/** Would every window get the same parameters? Then the range changes nothing, and the server refuses it. */
export function ignoresWindows(
  draft: IDraft,
  parameters: readonly IParameter[]
): boolean {
  // Those of a schedule may well use them.
  if (draft.schedule) {
    return false;
  }
  return !parameters.some(
    ({ name }) =>
      INTERVALS.includes(name) || isExpression(draft.parameters[name])
  );
}

const DATED =
  /^(as_of|date|day|from|month|since|start|week|year)|_(date|day)$/i;

/** The draft with the window given to the parameter that most likely wants it, unless one has it. */
export function withWindow(
  draft: IDraft,
  parameters: readonly IParameter[]
): IDraft {
  const likely = ignoresWindows(draft, parameters)
    ? parameters.find(
        ({ name, annotation }) =>
          (DATED.test(name) && ['', 'str'].includes(annotation)) ||
          /\bdate\b/.test(annotation)
      )
    : undefined;
  return likely
    ? {
        ...draft,
        parameters: { ...draft.parameters, [likely.name]: EXPRESSION }
      }
    : draft;
}

// ---- How far one has come ----

export type WindowState = IBackfillWindow['state'];

/** Parts of a whole, in the order in which they are drawn. */
export const PARTS = [
  ['good', ['completed', 'done']],
  ['bad', ['failed', 'crashed', 'cancelled']],
  ['quiet', ['skipped']],
  ['busy', ['running']],
  ['', ['waiting']]
] as const satisfies readonly (readonly [string, readonly WindowState[]])[];

export function countOf(
  { counts }: Pick<IBackfill, 'counts'>,
  states: readonly WindowState[]
): number {
  return states.reduce((sum, state) => sum + (counts[state] ?? 0), 0);
}

/** `28 of 30 windows · 2 failed` */
export function progressText(
  backfill: Pick<IBackfill, 'counts' | 'size'>,
  trans: TranslationBundle
): string {
  const [good, bad, skipped, running] = PARTS.map(([, states]) =>
    countOf(backfill, states)
  );
  return [
    trans.__('%1 of %2 windows', good, backfill.size),
    bad ? trans._n('%1 failed', '%1 failed', bad) : '',
    skipped ? trans._n('%1 given up', '%1 given up', skipped) : '',
    running ? trans._n('%1 running', '%1 running', running) : ''
  ]
    .filter(part => part !== '')
    .join(' · ');
}

/** How a window is written: a day `23 Nov 2026`, a longer one by its first and last day, an hour by its times. */
export function windowText(
  { start, end }: Pick<IBackfillWindow, 'start' | 'end'>,
  window: Window,
  locale?: string
): string {
  // The texts carry the offset of their zone: what is written there is its wall time.
  const wall = (text: string): Date => new Date(`${text.slice(0, 16)}Z`);
  const format = (date: Date, options: Intl.DateTimeFormatOptions): string =>
    new Intl.DateTimeFormat(locale, { ...options, timeZone: 'UTC' }).format(
      date
    );
  const first = wall(start);
  const day = { day: 'numeric', month: 'short', year: 'numeric' } as const;
  switch (window) {
    case 'hour': {
      const time = {
        hour: '2-digit',
        minute: '2-digit',
        hourCycle: 'h23'
      } as const;
      return `${format(first, { ...day, ...time })}–${format(wall(end), time)}`;
    }
    case 'day':
      return format(first, { ...day, weekday: 'short' });
    case 'month':
      return format(first, { month: 'long', year: 'numeric' });
    case 'year':
      return format(first, { year: 'numeric' });
    case 'week':
    case 'quarter': {
      const last = new Date(wall(end).getTime() - 1);
      return `${format(first, day)} – ${format(last, day)}`;
    }
  }
}

/** What becomes of a window in a preview. */
export function fateOf(
  { state, before }: IBackfillWindow,
  trans: TranslationBundle
): string {
  if (state === 'done') {
    return trans.__('done before: left alone');
  }
  switch (before) {
    case '':
      return trans.__('runs');
    case 'completed':
      return trans.__('runs again');
    default:
      return trans.__('runs; %1 the last time', before);
  }
}
