import { nullTranslator } from '@jupyterlab/translation';
import { cleanup, fireEvent, render, screen } from '@testing-library/react';
import * as React from 'react';
import { edge, pipeline, step } from '../../testing';
import { draw, pathOf, shorten } from './model';
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
      { x: 5, y: 5 },
      { x: 0, y: 10 }
    ];
    expect(pathOf(points)).toBe('M0 0Q5 5 0 10');
    expect(pathOf(points.slice(0, 2))).toBe('M0 0L5 5');
    expect(pathOf([])).toBe('');
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
    const second = screen.getByRole('button', { name: 'Step b, after a' });
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
