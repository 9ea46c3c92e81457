import { nullTranslator } from '@jupyterlab/translation';
import { cleanup, fireEvent, render, screen } from '@testing-library/react';
import * as React from 'react';
import { edge, pipeline, step } from '../../testing';
import { draw, labelOf, neighbour, pathOf, shorten } from './model';
import { Dag } from './view';

describe('drawing', () => {
  it('puts steps below what they wait for, in the notebook’s order', () => {
    const { boxes, width, height } = draw(
      ['a', 'b', 'c', 'd'],
      ['b', 'c']
        .map(name => edge('a', name))
        .concat(['b', 'c'].map(name => edge(name, 'd')))
    );
    const at = Object.fromEntries(boxes.map(box => [box.name, box]));
    expect(at.a!.y).toBeLessThan(at.b!.y);
    expect(at.b!.y).toBe(at.c!.y);
    expect(at.b!.x + at.b!.width).toBeLessThan(at.c!.x);
    expect(at.d!.y).toBeGreaterThan(at.c!.y);
    for (const box of boxes) {
      expect(box.x).toBeGreaterThanOrEqual(0);
      expect(box.x + box.width).toBeLessThanOrEqual(width);
      expect(box.y + box.height).toBeLessThanOrEqual(height);
    }
  });

  it('draws one arrow for many reasons, dashed when none is certain', () => {
    const { arrows } = draw(
      ['a', 'b', 'c'],
      [
        edge('a', 'b', { certain: false }),
        edge('a', 'b', { name: 'y' }),
        edge('b', 'c', { certain: false })
      ]
    );
    expect(
      arrows.map(({ source, target, certain, reasons }) => [
        source,
        target,
        certain,
        reasons.length
      ])
    ).toEqual([
      ['a', 'b', true, 2],
      ['b', 'c', false, 1]
    ]);
  });

  it('leaves out what other arrows imply', () => {
    const { arrows, boxes, width } = draw(
      ['a', 'b', 'c', 'd'],
      [
        edge('a', 'b'),
        edge('b', 'c'),
        edge('a', 'c'),
        edge('c', 'd'),
        edge('a', 'd')
      ]
    );
    expect(arrows.map(({ source, target }) => source + target)).toEqual([
      'ab',
      'bc',
      'cd'
    ]);
    for (const { x } of arrows.flatMap(arrow => arrow.points)) {
      expect(x).toBeGreaterThanOrEqual(0);
      expect(x).toBeLessThanOrEqual(width);
    }
    expect(boxes).toHaveLength(4);
  });

  it('survives what a broken notebook gives', () => {
    expect(draw([], [])).toMatchObject({ width: 0, height: 0, boxes: [] });
    const odd = draw(
      ['', 'a', 'a', 'b'],
      [edge('a', 'a'), edge('a', ''), edge('a', 'gone'), edge('', 'b')]
    );
    expect(odd.boxes.map(box => box.name)).toEqual(['a', 'b']);
    expect(odd.arrows).toEqual([]);
    const cyclic = draw(['a', 'b'], [edge('a', 'b'), edge('b', 'a')]);
    expect(cyclic.arrows).toHaveLength(2);
  });

  it('stays quick with very many steps', () => {
    const names = Array.from({ length: 2000 }, (_, index) => `step-${index}`);
    const started = performance.now();
    const drawing = draw(
      names,
      names.slice(1).map((name, index) => edge(names[index] ?? '', name))
    );
    expect(drawing.simplified).toBe(true);
    expect(drawing.boxes).toHaveLength(2000);
    expect(performance.now() - started).toBeLessThan(500);
  });

  it('shortens long names in the middle', () => {
    expect(shorten('short')).toBe('short');
    const name = shorten('a-very-long-name-for-a-step-of-mine');
    expect(name).toHaveLength(22);
    expect(name).toMatch(/^a-very.*….*mine$/);
  });

  it('gives paths that begin and end where the arrow does', () => {
    const points = [
      { x: 0, y: 0 },
      { x: 6, y: 10 },
      { x: 6, y: 20 }
    ];
    expect(pathOf(points)).toBe('M0 0C0 5 6 5 6 10L6 20');
    expect(pathOf([])).toBe('');
  });

  it('labels arrows with the values that flow', () => {
    const value = (name: string) => edge('a', 'b', { name });
    expect(labelOf([value('x')])).toBe('x');
    expect(labelOf([value('x'), value('y'), value('x')])).toBe('x, y');
    expect(labelOf([value('first_values'), value('y'), value('z')])).toBe(
      'first_values +2'
    );
    expect(labelOf([edge('a', 'b', { kind: 'order', name: '' })])).toBe('');
    expect(labelOf([edge('a', 'b', { kind: 'table', name: 'mart.x' })])).toBe(
      'mart.x'
    );
    expect(labelOf([value('a_name_that_is_rather_long')])).toHaveLength(16);
  });

  it('labels one of two arrows that lead to and fro', () => {
    const { arrows } = draw(
      ['a', 'b'],
      [edge('a', 'b', { name: 'x' }), edge('b', 'a', { name: 'y' })]
    );
    expect(arrows.map(({ source, label }) => [source, label])).toEqual([
      ['a', 'x'],
      ['b', '']
    ]);
  });

  it('keeps boxes and labels of a row apart', () => {
    const names = Array.from({ length: 12 }, (_, index) => `step-${index}`);
    const edges = names
      .slice(1)
      .flatMap((target, index) => [
        edge('step-0', target, { name: `value_${index}` }),
        ...(index > 4 ? [edge(names[index - 3] ?? '', target)] : [])
      ]);
    const { boxes, arrows } = draw(names, edges);
    const things = [
      ...boxes.map(({ x, y, width }) => ({ x, y, width })),
      ...arrows.map(({ label, labelAt }) => ({
        x: labelAt.x - label.length * 2.8,
        y: labelAt.y,
        width: label.length * 5.6
      }))
    ];
    for (const one of things) {
      for (const other of things) {
        if (one !== other && one.y === other.y) {
          expect(
            one.x + one.width <= other.x || other.x + other.width <= one.x
          ).toBe(true);
        }
      }
    }
  });

  it('lets a chain stand straight, and draws no crossing that need not be', () => {
    const chain = draw(['a', 'b', 'c'], [edge('a', 'b'), edge('b', 'c')]);
    const middles = chain.boxes.map(({ x, width }) => x + width / 2);
    expect(Math.max(...middles) - Math.min(...middles)).toBeLessThan(1);
    const { boxes } = draw(
      ['a', 'b', 'c', 'd'],
      [edge('a', 'd'), edge('b', 'c')]
    );
    const at = Object.fromEntries(boxes.map(box => [box.name, box.x]));
    expect(Math.sign(at.a! - at.b!)).toBe(Math.sign(at.d! - at.c!));
  });

  it('is walked through by arrow keys', () => {
    const { boxes } = draw(
      ['a', 'b', 'c', 'd'],
      [edge('a', 'b'), edge('a', 'c'), edge('b', 'd'), edge('c', 'd')]
    );
    const walk = (from: string, ...keys: string[]): string =>
      keys.reduce((name, key) => neighbour(boxes, name, key), from);
    expect(walk('a', 'ArrowDown', 'ArrowRight')).toBe('c');
    expect(walk('c', 'ArrowLeft')).toBe('b');
    expect(walk('b', 'ArrowDown')).toBe('d');
    expect(walk('d', 'ArrowDown')).toBe('d');
    expect(walk('a', 'End', 'Home')).toBe('a');
  });

  it('places the steps of a large notebook while one types', () => {
    const names = Array.from({ length: 100 }, (_, index) => `step-${index}`);
    const edges = names.flatMap((target, index) =>
      [1, 7, 40]
        .filter(back => index >= back)
        .map(back => edge(names[index - back] ?? '', target))
    );
    // The best of some: other tests run beside this one.
    const took = [1, 2, 3, 4, 5].map(() => {
      const started = performance.now();
      expect(draw(names, edges).simplified).toBe(false);
      return performance.now() - started;
    });
    expect(Math.min(...took)).toBeLessThan(50);
  });
});

describe('the graph', () => {
  afterEach(cleanup);
  const trans = nullTranslator.load('');

  it('is used from the keyboard, and tells what is wrong where', () => {
    const onPick = vi.fn();
    render(
      <Dag
        pipeline={pipeline({
          steps: [step('a', [1]), step('b', [2])],
          edges: [edge('a', 'b')],
          diagnostics: [
            {
              code: 'JP301',
              severity: 'error',
              message: '',
              fix: '',
              location: null,
              step: 'b'
            }
          ]
        })}
        selected="a"
        onPick={onPick}
        trans={trans}
      />
    );
    const first = screen.getByRole('button', { name: 'Step a' });
    const second = screen.getByRole('button', {
      name: 'Step b, after a; has an error'
    });
    expect(first.getAttribute('aria-current')).toBe('step');
    expect(second.dataset.severity).toBe('error');
    fireEvent.keyDown(second, { key: 'Enter' });
    fireEvent.keyDown(first, { key: ' ' });
    fireEvent.keyDown(first, { key: 'x' });
    expect(onPick.mock.calls).toEqual([['b'], ['a']]);
  });

  it('is nothing without steps', () => {
    const { container } = render(
      <Dag
        pipeline={pipeline()}
        selected=""
        onPick={() => undefined}
        trans={trans}
      />
    );
    expect(container.innerHTML).toBe('');
  });
});
