/** Schedules that are said as “every … at …”, and the cron expressions and rules that mean the same. Pure. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { IScheduleSpec } from '../../api';

export type Unit =
  'minutes' | 'hour' | 'day' | 'weekday' | 'week' | 'month' | 'nth';

/** Every `unit` at `time`; which of the others count depends on the unit. */
export interface ISimple {
  unit: Unit;
  /** `HH:MM` */
  time: string;
  /** Every so many minutes: a part of 60. */
  minutes: number;
  /** Minute of the hour. */
  minute: number;
  /** 0 is Sunday, as in cron. */
  weekdays: number[];
  /** Day of the month; -1 is the last. */
  day: number;
  /** Which of them in the month: 1 to 4; -1 is the last. */
  nth: number;
  /** The weekday that is meant by `nth`. */
  nthWeekday: number;
}

export const PARTS_OF_AN_HOUR = [1, 2, 3, 5, 10, 15, 20, 30];
/** From Monday on. */
export const WEEK = [1, 2, 3, 4, 5, 6, 0];
const CODES = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA'];

export const SIMPLE: ISimple = {
  unit: 'day',
  time: '07:00',
  minutes: 15,
  minute: 0,
  weekdays: [1],
  day: 1,
  nth: 1,
  nthWeekday: 1
};

/** What is to be filled in before it can be said; empty when nothing is. */
export function missingOf(simple: ISimple): '' | 'time' | 'weekdays' {
  const clock = !['minutes', 'hour'].includes(simple.unit);
  if (clock && !/^\d\d:\d\d$/.test(simple.time)) {
    return 'time';
  }
  return simple.unit === 'week' && simple.weekdays.length === 0
    ? 'weekdays'
    : '';
}

/** How the server is told. */
export function specOfSimple(
  simple: ISimple
): Pick<IScheduleSpec, 'cron' | 'rrule'> {
  const [hour, minute] = simple.time.split(':').map(Number);
  const clock = `${minute} ${hour}`;
  const rule = (days: string): { rrule: string } => ({
    rrule: `FREQ=MONTHLY;${days};BYHOUR=${hour};BYMINUTE=${minute}`
  });
  switch (simple.unit) {
    case 'minutes':
      return {
        cron: simple.minutes === 1 ? '* * * * *' : `*/${simple.minutes} * * * *`
      };
    case 'hour':
      return { cron: `${simple.minute} * * * *` };
    case 'day':
      return { cron: `${clock} * * *` };
    case 'weekday':
      return { cron: `${clock} * * 1-5` };
    case 'week':
      return {
        cron: `${clock} * * ${[...simple.weekdays].sort().join(',')}`
      };
    case 'month':
      return simple.day === -1
        ? rule('BYMONTHDAY=-1')
        : { cron: `${clock} ${simple.day} * *` };
    case 'nth':
      return rule(`BYDAY=${simple.nth}${CODES[simple.nthWeekday] ?? 'MO'}`);
  }
}

/** The same as “every … at …”; `null` where it is more than that. */
export function simpleOf(spec: IScheduleSpec): ISimple | null {
  if (spec.anchor) {
    return null;
  }
  return spec.cron ? ofCron(spec.cron) : spec.rrule ? ofRule(spec.rrule) : null;
}

function ofCron(cron: string): ISimple | null {
  const every = /^(?:\*|\*\/(\d+)) \* \* \* \*$/.exec(cron);
  const part = Number(every?.[1] ?? 1);
  if (every) {
    return PARTS_OF_AN_HOUR.includes(part)
      ? { ...SIMPLE, unit: 'minutes', minutes: part }
      : null;
  }
  const hourly = /^(\d{1,2}) \* \* \* \*$/.exec(cron);
  if (hourly) {
    return { ...SIMPLE, unit: 'hour', minute: Number(hourly[1]) };
  }
  const found = /^(\d{1,2}) (\d{1,2}) (\S+) \* (\S+)$/.exec(cron);
  if (!found) {
    return null;
  }
  const [, minute = '', hour = '', day = '', weekday = ''] = found;
  const base = {
    ...SIMPLE,
    time: `${hour.padStart(2, '0')}:${minute.padStart(2, '0')}`
  };
  if (weekday === '*') {
    if (day === '*') {
      return { ...base, unit: 'day' };
    }
    return /^\d{1,2}$/.test(day)
      ? { ...base, unit: 'month', day: Number(day) }
      : null;
  }
  if (day !== '*') {
    return null;
  }
  if (weekday === '1-5') {
    return { ...base, unit: 'weekday' };
  }
  return /^[0-6](?:,[0-6])*$/.test(weekday)
    ? { ...base, unit: 'week', weekdays: weekday.split(',').map(Number) }
    : null;
}

function ofRule(rule: string): ISimple | null {
  const found =
    /^FREQ=MONTHLY;(?:BYMONTHDAY=(-1)|BYDAY=(-1|[1-4])(SU|MO|TU|WE|TH|FR|SA));BYHOUR=(\d{1,2});BYMINUTE=(\d{1,2})$/.exec(
      rule
    );
  if (!found) {
    return null;
  }
  const [, last, nth, code = '', hour = '', minute = ''] = found;
  const base = {
    ...SIMPLE,
    time: `${hour.padStart(2, '0')}:${minute.padStart(2, '0')}`
  };
  return last
    ? { ...base, unit: 'month', day: -1 }
    : {
        ...base,
        unit: 'nth',
        nth: Number(nth),
        nthWeekday: CODES.indexOf(code)
      };
}

/** A day of the week, 0 is Sunday, as the reader's language has it. */
export function weekdayName(
  day: number,
  length: 'long' | 'short' = 'long'
): string {
  return new Intl.DateTimeFormat(undefined, {
    weekday: length,
    timeZone: 'UTC'
  }).format(new Date(Date.UTC(2023, 0, 1 + day)));
}

export function nthName(nth: number, trans: TranslationBundle): string {
  return (
    {
      1: trans.__('first'),
      2: trans.__('second'),
      3: trans.__('third'),
      4: trans.__('fourth')
    }[nth] ?? trans.__('last')
  );
}

export function simpleInWords(
  simple: ISimple,
  trans: TranslationBundle
): string {
  const { time } = simple;
  switch (simple.unit) {
    case 'minutes':
      return trans._n('Every minute', 'Every %1 minutes', simple.minutes);
    case 'hour':
      return trans.__(
        'Every hour at minute %1',
        String(simple.minute).padStart(2, '0')
      );
    case 'day':
      return trans.__('Every day at %1', time);
    case 'weekday':
      return trans.__('Monday to Friday at %1', time);
    case 'week':
      return trans.__(
        'Every %1 at %2',
        new Intl.ListFormat(undefined, { type: 'conjunction' }).format(
          WEEK.filter(day => simple.weekdays.includes(day)).map(day =>
            weekdayName(day)
          )
        ),
        time
      );
    case 'month':
      return simple.day === -1
        ? trans.__('Last day of the month at %1', time)
        : trans.__('Day %1 of the month at %2', simple.day, time);
    case 'nth':
      return trans.__(
        'Every %1 %2 of the month at %3',
        nthName(simple.nth, trans),
        weekdayName(simple.nthWeekday),
        time
      );
  }
}
