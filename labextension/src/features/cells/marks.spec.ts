import type { IDiagnostic, IRun } from '../../api';
import { pipeline, step } from '../../testing';
import { lastOfSteps, marksOf, NO_MARK, sameMark } from './marks';

function problem(cell: number | null, message = 'x'): IDiagnostic {
  return {
    code: 'JP1',
    severity: 'error',
    message,
    fix: '',
    step: null,
    location: cell === null ? null : { cell, line: 1 }
  };
}

it('marks the cells of steps, the first of each, and those with problems', () => {
  const compiled = pipeline({
    steps: [step('a', [2, 3]), step('b', [5])],
    diagnostics: [problem(3), problem(7), problem(null)]
  });
  const marks = marksOf(compiled, true, [problem(7, 'live')]);
  expect([...marks.keys()].sort()).toEqual([2, 3, 5, 7]);
  expect(marks.get(2)).toMatchObject({ step: 'a', order: 0, first: true });
  expect(marks.get(3)).toMatchObject({ step: 'a', first: false });
  expect(marks.get(3)?.problems).toHaveLength(1);
  expect(marks.get(5)).toMatchObject({ step: 'b', order: 1, first: true });
  expect(marks.get(7)?.problems.map(({ message }) => message)).toEqual([
    'x',
    'live'
  ]);
  const untagged = marksOf(compiled, false);
  expect([...untagged.keys()]).toEqual([3, 7]);
  expect(untagged.get(3)?.step).toBe('');
});

it('knows marks that would look the same', () => {
  const mark = { ...NO_MARK, problems: [problem(1)] };
  expect(sameMark(mark, { ...NO_MARK, problems: [problem(1)] })).toBe(true);
  expect(sameMark(mark, NO_MARK)).toBe(false);
});

it('takes each step from the newest run that it was part of', () => {
  const run = (...steps: [string, string][]): IRun =>
    ({ steps: steps.map(([name, state]) => ({ name, state })) }) as IRun;
  const last = lastOfSteps([
    run(['b', 'failed']),
    run(['a', 'completed'], ['b', 'completed'])
  ]);
  expect([...last].map(([name, { state }]) => [name, state])).toEqual([
    ['b', 'failed'],
    ['a', 'completed']
  ]);
});
