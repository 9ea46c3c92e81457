/** The steps of a run along time. Pure. */
import type { IRun, IStepBrief } from '../../api';

/** One step; `start` and `width` are shares of the whole, from 0 to 1. */
export interface IBar {
  step: IStepBrief;
  start: number;
  width: number;
}

export interface ITimeline {
  /** Seconds from the left edge to the right. */
  length: number;
  bars: IBar[];
  /** Marks of the axis: seconds since the beginning, and where. */
  ticks: { seconds: number; at: number }[];
}

const ROUND = [1, 2, 5, 10, 15, 30]
  .flatMap(count => [count, count * 60])
  .concat([1, 2, 3, 6, 12, 24, 48, 168].map(hours => hours * 3600))
  .sort((a, b) => a - b);

/** The distance of the marks of an axis: at most `most` of them, at numbers that people like. */
export function tickDistance(length: number, most = 6): number {
  const least = length / most;
  if (least < 0.5) {
    const power = 10 ** Math.floor(Math.log10(least));
    return (
      [1, 2, 5, 10].map(factor => factor * power).find(one => one >= least) ?? 1
    );
  }
  return (
    ROUND.find(one => one >= least) ?? Math.ceil(least / 604_800) * 604_800
  );
}

export function timelineOf(
  run: IRun,
  steps: readonly IStepBrief[],
  now: Date
): ITimeline {
  const seconds = now.getTime() / 1000;
  const begun = steps.filter(step => step.started > 0);
  const first = Math.min(
    run.started || Infinity,
    ...begun.map(step => step.started)
  );
  const last = Math.max(
    run.ended || (run.started ? seconds : 0),
    ...begun.map(step => step.ended || seconds)
  );
  const length = Number.isFinite(first) ? Math.max(last - first, 0.001) : 0;
  const bars = steps.map(step => ({
    step,
    start: step.started ? (step.started - first) / length : 0,
    width: step.started
      ? Math.max(0, (step.ended || seconds) - step.started) / length
      : 0
  }));
  const ticks: ITimeline['ticks'] = [];
  if (length > 0) {
    const distance = tickDistance(length);
    for (let mark = 0; mark * distance <= length * 1.0001; mark += 1) {
      ticks.push({ seconds: mark * distance, at: (mark * distance) / length });
    }
  }
  return { length, bars, ticks };
}
