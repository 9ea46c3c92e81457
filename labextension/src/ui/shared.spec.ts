import { shared } from './shared';

const step = (name: string, ...cells: number[]): object => ({ name, cells });

describe('what did not change', () => {
  it('is the same object', () => {
    const before = { steps: [step('a', 1), step('b', 2, 3)], edges: [] };
    expect(shared(before, structuredClone(before))).toBe(before);
    const after = { steps: [step('a', 1), step('b', 2)], edges: [] };
    const made = shared(before, after);
    expect(made).toEqual(after);
    expect(made.steps[0]).toBe(before.steps[0]);
    expect(made.edges).toBe(before.edges);
    expect(made.steps[1]).not.toBe(before.steps[1]);
  });

  it('is found again behind what was put in or taken out', () => {
    const before = [step('a', 1), step('b', 2), step('c', 3)];
    const put = shared(before, [
      step('a', 1),
      step('new', 9),
      step('b', 2),
      step('c', 3)
    ]);
    expect(put.map(one => before.indexOf(one))).toEqual([0, -1, 1, 2]);
    const taken = shared(before, [step('b', 2), step('c', 3)]);
    expect(taken.map(one => before.indexOf(one))).toEqual([1, 2]);
  });

  it.each([
    [{ a: 1 }, { a: 2 }],
    [{ a: 1, b: 1 }, { a: 1 }],
    [{ a: 1 }, { a: 1, b: undefined }],
    [[], {}],
    [{}, []],
    [null, { a: null }],
    [{ a: {} }, { a: null }],
    [[1, 2], [2]]
  ])('is told from what did: %j, %j', (before, after) => {
    expect(shared<unknown>(before, after)).toStrictEqual(after);
  });
});
