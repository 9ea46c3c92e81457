/** A schedule or trigger as it is being written, and what the server is told of it. Pure. */
import { type JSONObject, UUID } from '@lumino/coreutils';
import type {
  IParameter,
  ISchedule,
  IScheduleRequest,
  IScheduleSpec,
  ITrigger,
  ITriggerRequest,
  Missed,
  Overlap,
  Window
} from '../../api';
import type { AllGiven, ISettingValues } from '../../tokens';
import {
  isExpression,
  valuesOf,
  withOthers,
  writtenOf
} from '../parameters/model';
import {
  type ISimple,
  missingOf,
  SIMPLE,
  simpleOf,
  specOfSimple
} from './simple';

/** The ways to say when it runs. */
export type Way = 'simple' | 'cron' | 'interval' | 'after' | 'event';
export type SpanUnit = 'm' | 'h' | 'd';
export type EventKind = 'file' | 'update' | 'token' | 'event';
/** What runs: the published version, one version, the notebook whenever it is saved and good, a git ref, the file. */
export type Source = 'published' | 'version' | 'follow' | 'ref' | 'file';

/** All that is in the form. Each way keeps what was filled in, so that looking at another loses nothing. */
export interface IDraft {
  /** The id of what is changed; empty for a new one. */
  editing: string;
  editingKind: 'schedule' | 'trigger';
  /** Another with each change: a request that is sent again is carried out once. */
  key: string;
  way: Way;
  name: string;
  simple: ISimple;
  cron: string;
  /** What `cron` was made of, where that says more than the text. */
  rule: Pick<IScheduleSpec, 'rrule' | 'anchor'> | null;
  every: string;
  everyUnit: SpanUnit;
  anchor: string;
  after: string[];
  on: 'success' | 'failure' | 'always';
  allOf: boolean;
  event: EventKind;
  file: string;
  together: boolean;
  updated: string[];
  /** What is updated is what the notebook reads, until somebody changes that. */
  reads: boolean;
  eventName: string;
  zone: string;
  start: string;
  end: string;
  count: number | null;
  missed: Missed;
  overlap: Overlap;
  maxParallel: string;
  doneBy: string;
  timeout: string;
  window: Window | '';
  /** What is left out is as in the notebook. */
  parameters: AllGiven;
  /** Which of them are not to be written down. */
  secrets: string[];
  source: Source;
  version: string;
  ref: string;
  verify: boolean;
  paused: boolean;
  /** Was anything filled in? */
  touched: boolean;
}

/** What new ones begin with. */
export type IDefaults = Pick<ISettingValues, 'timezone' | 'missed' | 'overlap'>;

export function browserZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
}

export const DEFAULTS: IDefaults = {
  timezone: '',
  missed: 'latest',
  overlap: 'queue'
};

export function newDraft(defaults: IDefaults = DEFAULTS): IDraft {
  return {
    editing: '',
    editingKind: 'schedule',
    key: UUID.uuid4(),
    way: 'simple',
    name: '',
    simple: SIMPLE,
    cron: '0 7 * * 1-5',
    rule: null,
    every: '6',
    everyUnit: 'h',
    anchor: '',
    after: [],
    on: 'success',
    allOf: false,
    event: 'file',
    file: '',
    together: false,
    updated: [],
    reads: false,
    eventName: '',
    zone: defaults.timezone || browserZone(),
    start: '',
    end: '',
    count: null,
    missed: defaults.missed,
    overlap: defaults.overlap,
    maxParallel: '2',
    doneBy: '',
    timeout: '',
    window: '',
    parameters: {},
    secrets: [],
    source: 'published',
    version: '',
    ref: '',
    verify: false,
    paused: false,
    touched: false
  };
}

export function isTrigger(draft: IDraft): boolean {
  return draft.way === 'after' || draft.way === 'event';
}

// ---- What the server has, as a draft ----

/** `2027-03-28T07:00` of a moment in the zone that its offset is of. */
function local(moment: string | undefined): string {
  return moment?.slice(0, 16) ?? '';
}

function sourceOf(version: string, follow = ''): Partial<IDraft> {
  if (follow.startsWith('ref:')) {
    return { source: 'ref', ref: follow.slice(4) };
  }
  if (follow) {
    return { source: 'follow' };
  }
  if (version === '') {
    return { source: 'file' };
  }
  return version === 'published'
    ? { source: 'published' }
    : { source: 'version', version };
}

const SPAN = /^(?:(?<d>\d+)d)?(?:(?<h>\d+)h)?(?:(?<m>\d+)m)?(?:(?<s>\d+)s)?$/;

function timesOf(spec: IScheduleSpec): Partial<IDraft> {
  const simple = simpleOf(spec);
  if (simple) {
    return { way: 'simple', simple };
  }
  if (spec.cron) {
    return { way: 'cron', cron: spec.cron };
  }
  if (spec.rrule) {
    const { rrule, anchor } = spec;
    return {
      way: 'cron',
      cron: spec.phrase ?? `RRULE:${rrule}`,
      rule: { rrule, ...(anchor ? { anchor } : {}) }
    };
  }
  const parts = SPAN.exec(spec.interval ?? '')?.groups;
  const size = { d: 86_400, h: 3600, m: 60, s: 1 };
  const seconds = Object.entries(size).reduce(
    (sum, [unit, length]) => sum + Number(parts?.[unit] ?? 0) * length,
    0
  );
  const everyUnit = (['d', 'h', 'm'] as const).find(
    unit => seconds % size[unit] === 0
  );
  return {
    way: 'interval',
    // Seconds are written as they are.
    every: everyUnit
      ? String(seconds / size[everyUnit])
      : (spec.interval ?? ''),
    everyUnit: everyUnit ?? 'm',
    anchor: local(spec.anchor)
  };
}

export function draftOfSchedule(
  schedule: ISchedule,
  parameters: readonly IParameter[]
): IDraft {
  const { schedule: spec } = schedule;
  return {
    ...newDraft(),
    ...timesOf(spec),
    editing: schedule.id,
    editingKind: 'schedule',
    name: schedule.name,
    zone: spec.zone ?? 'UTC',
    start: local(spec.start),
    end: local(spec.end),
    count: spec.count ?? null,
    missed: spec.missed ?? 'latest',
    overlap: spec.overlap ?? 'queue',
    maxParallel: String(spec.max_parallel ?? 2),
    doneBy: spec.done_by ?? '',
    timeout: spec.timeout ?? '',
    window: spec.window ?? '',
    parameters: writtenOf(spec.parameters ?? {}, parameters),
    paused: schedule.paused,
    ...sourceOf(schedule.version, schedule.follow),
    verify: schedule.verify ?? false
  };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function list(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function causeOf({ kind, cause, notebook }: ITrigger): Partial<IDraft> {
  // Patterns are asked for below the notebook's folder, and told below the server's.
  const folder = notebook?.replace(/[^/]*$/, '') ?? '';
  const near = (pattern: string): string =>
    pattern.startsWith(folder) ? pattern.slice(folder.length) : pattern;
  switch (kind) {
    case 'after':
      return {
        way: 'after',
        after: list(cause.pipelines),
        on: (cause.on as IDraft['on'] | undefined) ?? 'success',
        allOf: cause.all_of === true
      };
    case 'file':
      return {
        way: 'event',
        event: 'file',
        file: near(text(cause.pattern)),
        together: cause.together === true
      };
    case 'update': {
      const outputs = Array.isArray(cause.outputs) ? cause.outputs : [];
      return {
        way: 'event',
        event: 'update',
        reads: cause.reads === true,
        updated: [
          ...list(cause.files).map(near),
          ...outputs.map(output => list(output).join(':')),
          ...list(cause.tables).map(table => `table:${table}`)
        ]
      };
    }
    case 'token':
      return { way: 'event', event: 'token' };
    case 'event':
      return {
        way: 'event',
        event: 'event',
        eventName: text(cause.pattern)
      };
  }
}

export function draftOfTrigger(
  trigger: ITrigger,
  parameters: readonly IParameter[]
): IDraft {
  return {
    ...newDraft(),
    ...causeOf(trigger),
    editing: trigger.id,
    editingKind: 'trigger',
    name: trigger.name,
    overlap: trigger.overlap as Overlap,
    parameters: writtenOf(trigger.parameters, parameters),
    paused: trigger.paused,
    ...sourceOf(trigger.version)
  };
}

/** A new one that is like another. */
export function duplicateOf(draft: IDraft): IDraft {
  return { ...draft, editing: '', key: UUID.uuid4(), name: '', paused: false };
}

// ---- A draft, as the server is told ----

/** The values of what is given; what is wrong with it is left out, and named. */
function understood(
  draft: IDraft,
  parameters: readonly IParameter[]
): { values: JSONObject; wrong: string | undefined } {
  const given = draft.parameters;
  const all = withOthers(parameters, given).filter(({ name }) => name in given);
  const { values, problems } = valuesOf(all, given, true);
  return { values, wrong: Object.keys(problems)[0] };
}

/** The period that most likely fits the times of a draft. */
export function likelyWindow({ way, simple, everyUnit }: IDraft): Window {
  if (way === 'interval') {
    return everyUnit === 'd' ? 'day' : 'hour';
  }
  if (way !== 'simple') {
    return 'day';
  }
  switch (simple.unit) {
    case 'minutes':
    case 'hour':
      return 'hour';
    case 'week':
      return 'week';
    case 'month':
    case 'nth':
      return 'month';
    default:
      return 'day';
  }
}

/** The draft with a parameter given; one that follows the data window needs one. */
export function withParameter(
  draft: IDraft,
  parameter: string,
  parameters: AllGiven,
  secret: boolean
): Partial<IDraft> {
  const given = parameters[parameter];
  const needs =
    !isTrigger(draft) &&
    !draft.window &&
    isExpression(given) &&
    given.includes('interval_');
  return {
    parameters,
    ...(secret ? { secrets: [...new Set([...draft.secrets, parameter])] } : {}),
    ...(needs ? { window: likelyWindow(draft) } : {})
  };
}

function whenOf(draft: IDraft): IScheduleSpec | null {
  switch (draft.way) {
    case 'simple':
      return missingOf(draft.simple) ? null : specOfSimple(draft.simple);
    case 'cron': {
      const text = draft.cron.trim();
      return draft.rule ?? (text ? { phrase: text } : null);
    }
    case 'interval': {
      const every = draft.every.trim();
      const interval = /^\d+$/.test(every) ? every + draft.everyUnit : every;
      return every
        ? { interval, ...(draft.anchor ? { anchor: draft.anchor } : {}) }
        : null;
    }
    default:
      return null;
  }
}

/** When and how it runs, without what it runs; `null` when that is not said yet, or is no time. */
export function specOf(
  draft: IDraft,
  parameters: readonly IParameter[]
): IScheduleSpec | null {
  const when = whenOf(draft);
  if (!when) {
    return null;
  }
  const { values } = understood(draft, parameters);
  return {
    ...when,
    zone: draft.zone.trim() || 'UTC',
    missed: draft.missed,
    overlap: draft.overlap,
    ...(draft.name.trim() ? { name: draft.name.trim() } : {}),
    ...(draft.start ? { start: draft.start } : {}),
    ...(draft.end ? { end: draft.end } : {}),
    ...(draft.count ? { count: draft.count } : {}),
    ...(draft.overlap === 'parallel'
      ? { max_parallel: Number(draft.maxParallel) || 2 }
      : {}),
    ...(draft.doneBy.trim() ? { done_by: draft.doneBy.trim() } : {}),
    ...(draft.timeout.trim() ? { timeout: draft.timeout.trim() } : {}),
    ...(draft.window ? { window: draft.window } : {}),
    ...(Object.keys(values).length > 0 ? { parameters: values } : {}),
    ...(draft.paused ? { paused: true } : {})
  };
}

function versionOf(draft: IDraft): Pick<IScheduleRequest, 'version'> {
  switch (draft.source) {
    case 'version':
      return { version: draft.version };
    case 'file':
      return { version: 'file' };
    default:
      return { version: 'published' };
  }
}

export function scheduleRequest(
  notebook: string,
  draft: IDraft,
  parameters: readonly IParameter[]
): IScheduleRequest | null {
  const when = specOf(draft, parameters);
  if (!when) {
    return null;
  }
  const verify = draft.verify ? { verify: true } : {};
  switch (draft.source) {
    case 'follow':
      return { notebook, when, follow: true, ...verify };
    case 'ref':
      return { notebook, when, ref: draft.ref.trim(), ...verify };
    default:
      return { notebook, when, ...versionOf(draft) };
  }
}

function requestedCause(draft: IDraft): Partial<ITriggerRequest> {
  if (draft.way === 'after') {
    return {
      after: draft.after,
      on: draft.on,
      ...(draft.after.length > 1 ? { all_of: draft.allOf } : {})
    };
  }
  switch (draft.event) {
    case 'file':
      return { file: draft.file.trim(), together: draft.together };
    case 'update':
      return { updated: draft.reads || draft.updated };
    case 'token':
      return { token: true };
    case 'event':
      return { event: draft.eventName.trim() };
  }
}

export function triggerRequest(
  notebook: string,
  draft: IDraft,
  parameters: readonly IParameter[]
): ITriggerRequest {
  const { values } = understood(draft, parameters);
  return {
    notebook,
    ...requestedCause(draft),
    overlap: draft.overlap,
    ...versionOf(draft),
    ...(draft.name.trim() ? { name: draft.name.trim() } : {}),
    ...(Object.keys(values).length > 0 ? { parameters: values } : {})
  };
}

/** The part of the form that must be filled in first, or otherwise; empty when all is well. */
export function missingIn(
  draft: IDraft,
  parameters: readonly IParameter[]
): string {
  const noRef = draft.source === 'ref' && !draft.ref.trim();
  const { wrong } = understood(draft, parameters);
  return (
    missingTimes(draft) ||
    (wrong === undefined ? '' : `parameters.${wrong}`) ||
    (noRef ? 'ref' : '')
  );
}

function missingTimes(draft: IDraft): string {
  switch (draft.way) {
    case 'simple':
      return missingOf(draft.simple);
    case 'cron':
      return draft.cron.trim() ? '' : 'cron';
    case 'interval':
      return draft.every.trim() ? '' : 'interval';
    case 'after':
      return draft.after.length > 0 ? '' : 'after';
    case 'event': {
      const filled = {
        file: draft.file.trim() !== '',
        update: draft.reads || draft.updated.length > 0,
        token: true,
        event: draft.eventName.trim() !== ''
      };
      return filled[draft.event] ? '' : draft.event;
    }
  }
}

/** The part of the form that a field of a request belongs to; empty where it is about all of it. */
export function partOf(field: string, draft: IDraft): string {
  const name = field.replace(/^when\./, '');
  if (name.startsWith('parameters.')) {
    return name;
  }
  switch (name) {
    case 'when':
    case 'cron':
    case 'rrule':
    case 'phrase':
    case 'preset':
    case 'interval':
      return draft.way === 'simple' ? '' : draft.way;
    case 'timezone':
      return 'zone';
    case 'updated':
      return 'update';
    case 'max_parallel':
      return 'overlap';
    default:
      return [
        ...['zone', 'anchor', 'start', 'end', 'missed', 'overlap', 'done_by'],
        ...['timeout', 'window', 'version', 'ref', 'verify', 'name', 'after'],
        ...['file', 'event']
      ].includes(name)
        ? name
        : '';
  }
}
