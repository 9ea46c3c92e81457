/** What is to be seen at each cell, worked out of what is known of the notebook. Pure. */
import type { IDiagnostic, IPipeline, IRun, IStepBrief } from '../../api';

/** What the pipeline says of one cell. */
export interface IMark {
  /** The step it belongs to; empty for none. */
  step: string;
  /** The position of that step among all; -1 for none. */
  order: number;
  /** Is it the first cell of its step? What is known of the step is shown there. */
  first: boolean;
  problems: readonly IDiagnostic[];
}

const NONE: readonly IDiagnostic[] = [];

export const NO_MARK: IMark = {
  step: '',
  order: -1,
  first: false,
  problems: NONE
};

/**
 * The marks of the cells that have any, by their position (1-based, among all cells).
 *
 * In a notebook without a tag all cells are one step: then none is told so. `more` is wrong besides what the pipeline
 * tells.
 */
export function marksOf(
  pipeline: IPipeline,
  tagged: boolean,
  more: readonly IDiagnostic[] = []
): Map<number, IMark> {
  const marks = new Map<number, IMark>();
  if (tagged) {
    pipeline.steps.forEach(({ name, cells }, order) => {
      cells.forEach((cell, index) => {
        const mark = { step: name, order, first: index === 0, problems: NONE };
        marks.set(cell, mark);
      });
    });
  }
  for (const problem of [...pipeline.diagnostics, ...more]) {
    const cell = problem.location?.cell;
    if (cell !== undefined) {
      const mark = marks.get(cell) ?? NO_MARK;
      marks.set(cell, { ...mark, problems: [...mark.problems, problem] });
    }
  }
  return marks;
}

/** Would they look the same? */
export function sameMark(a: IMark, b: IMark): boolean {
  return (
    a.step === b.step &&
    a.order === b.order &&
    a.first === b.first &&
    (a.problems === b.problems ||
      JSON.stringify(a.problems) === JSON.stringify(b.problems))
  );
}

/** How each step was in the newest run that it was part of; runs come newest first. */
export function lastOfSteps(runs: readonly IRun[]): Map<string, IStepBrief> {
  const last = new Map<string, IStepBrief>();
  for (const run of runs) {
    for (const step of run.steps) {
      if (!last.has(step.name)) {
        last.set(step.name, step);
      }
    }
  }
  return last;
}
