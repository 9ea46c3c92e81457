/** What the last runs say of each step. Pure. */
import type { IRun, IStepBrief } from '../../api';

/** The newest state of each step, by its name: that of the last run that had the step and did not leave it out. */
export type StepStates = ReadonlyMap<string, IStepBrief>;

/** `runs`: the newest first. */
export function lastStates(runs: readonly IRun[]): StepStates {
  const states = new Map<string, IStepBrief>();
  for (const run of runs) {
    for (const step of run.steps) {
      // What a later run of a part of the pipeline left out is as it was before it.
      const leftOut = step.state === 'skipped' && isPart(run);
      if (!states.has(step.name) && !leftOut) {
        states.set(step.name, step);
      }
    }
    if (run.steps.length > 0 && !isPart(run)) {
      break;
    }
  }
  return states;
}

function isPart(run: IRun): boolean {
  return run.only !== '' || run.from_step !== '' || run.until !== '';
}

/** Seconds that a step took, or has taken so far; `null` where that says nothing. */
export function tookOf(step: IStepBrief, now: Date): number | null {
  if (step.started <= 0 || step.state === 'reused') {
    return null;
  }
  if (step.state === 'running') {
    return Math.max(0, now.getTime() / 1000 - step.started);
  }
  // A process that was killed has told nobody when.
  return step.ended > 0 && step.state !== 'crashed'
    ? Math.max(0, step.ended - step.started)
    : null;
}
