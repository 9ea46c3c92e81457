/** A schedule or trigger in a few words, for its card. Pure. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ISchedule, IScheduleSpec, ITrigger } from '../../api';
import { simpleInWords, simpleOf } from './simple';

/** When it runs; the zone is said apart. */
export function whenInWords(
  schedule: ISchedule,
  trans: TranslationBundle
): string {
  const simple = simpleOf(schedule.schedule);
  if (simple) {
    return simpleInWords(simple, trans);
  }
  // All that it says stands behind; the zone is in the first parentheses.
  const words = schedule.words.replace(/ \([^()]*\).*$/, '');
  // Where nobody said from when it is counted, nobody wants to know.
  return schedule.schedule.anchor
    ? words
    : words.replace(/, counted from .*$/, '');
}

export function causeInWords(trigger: ITrigger): string {
  return trigger.words.charAt(0).toUpperCase() + trigger.words.slice(1);
}

function day(moment: string): string {
  return moment.slice(0, 16).replace('T', ' ').replace(' 00:00', '');
}

/** What is not as it usually is, each in a few words. */
export function oddities(
  spec: IScheduleSpec,
  trans: TranslationBundle
): string[] {
  const said: string[] = [];
  const window = {
    hour: trans.__('on the last hour’s data'),
    day: trans.__('on the last day’s data'),
    week: trans.__('on the last week’s data'),
    month: trans.__('on the last month’s data'),
    quarter: trans.__('on the last quarter’s data'),
    year: trans.__('on the last year’s data')
  };
  if (spec.window) {
    said.push(window[spec.window]);
  }
  if (spec.start) {
    said.push(trans.__('from %1', day(spec.start)));
  }
  if (spec.end) {
    said.push(trans.__('until %1', day(spec.end)));
  }
  if (spec.count) {
    said.push(trans._n('once', '%1 times', spec.count));
  }
  if (spec.done_by) {
    said.push(
      spec.done_by.includes(':')
        ? trans.__('done by %1', spec.done_by)
        : trans.__('done within %1', spec.done_by)
    );
  }
  if (spec.timeout) {
    said.push(trans.__('stopped after %1', spec.timeout));
  }
  if (spec.missed === 'skip') {
    said.push(trans.__('missed runs are skipped'));
  } else if (spec.missed === 'all') {
    said.push(trans.__('all missed runs are made up for'));
  }
  return [...said, ...overlapInWords(spec.overlap, spec.max_parallel, trans)];
}

export function overlapInWords(
  overlap: string | undefined,
  parallel: number | undefined,
  trans: TranslationBundle
): string[] {
  switch (overlap) {
    case 'skip':
      return [trans.__('skipped while one runs')];
    case 'parallel':
      return [
        parallel === undefined
          ? trans.__('runs side by side')
          : trans.__('up to %1 at once', parallel)
      ];
    case 'cancel-previous':
      return [trans.__('cancels the run before')];
    default:
      return [];
  }
}
