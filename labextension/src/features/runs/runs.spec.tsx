import { nullTranslator } from '@jupyterlab/translation';
import {
  act,
  cleanup,
  fireEvent,
  render,
  screen
} from '@testing-library/react';
import * as React from 'react';
import type { IBackfill, IRun, IStepBrief, StepState } from '../../api';
import {
  ALL,
  type Column,
  columnsOf,
  heightsOf,
  lengthOf,
  parameterChanges,
  partOf,
  queryOf,
  rowsOf,
  startedBy,
  valueText,
  versionOf
} from './model';
import { againOf } from './actions';
import { pathOfExecuted } from './executed';
import { type ISquare, placeAfter, RunGrid } from './grid';
import { firstLook } from './page';
import { linkTo, runIn } from './plugin';
import { tickDistance, timelineOf } from './timeline';
import { tracebackOf } from './traceback';

const trans = nullTranslator.load('');
const NOW = new Date('2027-03-01T12:00:00Z');
const NOON = NOW.getTime() / 1000;
const KNOWN = { schedules: null, triggers: null, versions: null };

function brief(name: string, state: StepState, change = {}): IStepBrief {
  return {
    name,
    state,
    started: 0,
    ended: 0,
    attempts: 1,
    waiting: '',
    error_kind: '',
    error_cell: null,
    reused_from: '',
    ...change
  };
}

function run(id: string, change: Partial<IRun> = {}): IRun {
  return {
    id,
    name: 'sales',
    notebook: 'sales.ipynb',
    version: '',
    state: 'completed',
    parameters: {},
    started: NOON - 100,
    ended: NOON - 90,
    steps: [],
    executed_notebook: null,
    error: '',
    resumed_from: '',
    parent: '',
    only: '',
    from_step: '',
    until: '',
    published: '',
    schedule: '',
    triggered: false,
    scheduled_time: 0,
    backfill: '',
    pipeline: 'sales.ipynb',
    upstream: '',
    waiting: '',
    ...change
  };
}

function backfill(id: string, change: Partial<IBackfill> = {}): IBackfill {
  return {
    id,
    notebook: 'sales.ipynb',
    pipeline: 'sales.ipynb',
    version: '',
    schedule: '',
    window: 'day',
    timezone: 'UTC',
    parallel: 1,
    keep_going: false,
    created: NOON,
    state: 'running',
    notes: [],
    problem: '',
    counts: { completed: 3, failed: 1, waiting: 6 },
    size: 10,
    ...change
  };
}

const ids = (columns: readonly Column[]): string[] =>
  columns.map(({ id }) => id);

describe('columns and rows', () => {
  it('puts the newest last, and a backfill among them as one thing', () => {
    const columns = columnsOf(
      [
        run('waits', { state: 'pending', started: 0 }),
        run('new', { started: NOON - 10 }),
        run('of-a-backfill', { backfill: 'many', started: NOON - 20 }),
        run('old', { started: NOON - 60 })
      ],
      [backfill('many', { created: NOON - 30 })]
    );
    expect(ids(columns)).toEqual(['old', 'many', 'new', 'waits']);
  });

  it('shows no more than the newest twenty', () => {
    const runs = Array.from({ length: 20 }, (_, index) =>
      run(`r${index}`, { started: NOON - index })
    );
    const columns = columnsOf(runs, [backfill('b', { created: NOON + 1 })]);
    expect(columns).toHaveLength(20);
    expect(ids(columns)[19]).toBe('b');
    expect(ids(columns)[0]).toBe('r18');
  });

  it('asks for what the filters say, and never for the runs of backfills', () => {
    expect(queryOf('a.ipynb', ALL)).toEqual({
      notebook: 'a.ipynb',
      limit: 20,
      by: ['hand', 'schedule']
    });
    expect(
      queryOf('a.ipynb', { outcome: 'failed', by: 'hand', age: 'day' }, NOW)
    ).toEqual({
      notebook: 'a.ipynb',
      limit: 20,
      by: ['hand'],
      state: ['failed', 'crashed'],
      since: NOON - 86_400
    });
    expect(queryOf('a.ipynb', { ...ALL, by: 'backfill' })).toBeNull();
  });

  it('filters backfills as it does runs', () => {
    const all = [
      backfill('stuck', { state: 'stopped' }),
      backfill('done', { state: 'completed' }),
      backfill('old', { created: NOON - 2 * 86_400 })
    ];
    const shown = (filters: object): string[] =>
      ids(columnsOf([], all, { ...ALL, ...filters }, NOW)).sort();
    expect(shown({ outcome: 'failed' })).toEqual(['stuck']);
    expect(shown({ outcome: 'completed' })).toEqual(['done']);
    expect(shown({ age: 'day' })).toEqual(['done', 'stuck']);
    expect(shown({ by: 'hand' })).toEqual([]);
  });

  it('has a row for each step there is or was, where it was', () => {
    const columns = columnsOf(
      [
        run('b', {
          steps: ['load', 'clean', 'report'].map(name =>
            brief(name, 'completed')
          )
        }),
        run('a', {
          steps: ['fetch', 'load'].map(name => brief(name, 'completed'))
        })
      ],
      []
    );
    expect(rowsOf(['load', 'report'], columns)).toEqual([
      'fetch',
      'load',
      'clean',
      'report'
    ]);
  });

  it('draws bars as long as runs took, also while they go on', () => {
    const columns = columnsOf(
      [
        run('on', { state: 'running', started: NOON - 40, ended: 0 }),
        run('short', { started: NOON - 100, ended: NOON - 90 })
      ],
      []
    );
    expect(heightsOf(columns, NOW)).toEqual([0.25, 1]);
    expect(heightsOf([], NOW)).toEqual([]);
    expect(lengthOf({ started: 0, ended: 0 }, NOW)).toBeNull();
  });
});

describe('what is said of a run', () => {
  it('names what started it', () => {
    const schedules = [{ id: 's', name: '', words: 'every day at 07:00' }];
    const known = { schedules: schedules as never };
    expect(startedBy(run('a'), known, trans)).toBe('By hand');
    expect(startedBy(run('a', { schedule: 's' }), known, trans)).toContain(
      'every day at 07:00'
    );
    expect(startedBy(run('a', { schedule: 'gone' }), known, trans)).toBe(
      'A schedule or trigger'
    );
    expect(
      startedBy(run('a', { schedule: 's', backfill: 'b' }), known, trans)
    ).toBe('Backfill');
    expect(partOf(run('a', { from_step: 'load' }), trans)).toBe('From load');
  });

  it('counts versions from the first', () => {
    const versions = ['c', 'b', 'a'].map(id => ({ id })) as never;
    const label = (published: string): string =>
      versionOf(run('r', { published }), versions, trans);
    expect([label('a'), label('c'), label('ffffffff00')]).toEqual([
      'v1',
      'v3',
      'ffffffff'
    ]);
  });

  it('tells how parameters differ from those of another run', () => {
    const before = run('a', { parameters: { day: '1', size: 3, gone: null } });
    const after = run('b', { parameters: { day: '2', size: 3, big: [1] } });
    expect(parameterChanges(after, before)).toEqual([
      { name: 'big', before: null, after: '[1]' },
      { name: 'day', before: '1', after: '2' },
      { name: 'gone', before: 'null', after: null }
    ]);
    expect(valueText('x'.repeat(200))).toHaveLength(80);
  });

  it('asks for the same again, but not for a secret that nobody knows any more', () => {
    const earlier = run('a', {
      parameters: { day: '1' },
      published: 'v',
      only: 'load'
    });
    expect(againOf(earlier, trans)).toEqual({
      notebook: 'sales.ipynb',
      parameters: { day: '1' },
      version: 'v',
      only: 'load'
    });
    expect(againOf(earlier, trans, 'mean')).toEqual({
      notebook: 'sales.ipynb',
      parameters: { day: '1' },
      version: 'v',
      from_step: 'mean'
    });
    const secret = run('a', { parameters: { token: '***' } });
    expect(() => againOf(secret, trans)).toThrow('token');
  });
});

describe('the page of a run', () => {
  it('has an address', () => {
    const link = linkTo('http://host/user/ü/', 'id-1');
    expect(link).toBe('http://host/user/ü/lab?pipeline-run=id-1');
    expect(runIn(new URL(link).search)).toBe('id-1');
    expect(runIn('?reset')).toBe('');
  });

  it('gives the executed notebook a name of its own', () => {
    expect(pathOfExecuted(run('12345678-9', { notebook: 'a/b.ipynb' }))).toBe(
      'pipeline-run:12345678-9/b · run 12345678.ipynb'
    );
  });

  it('looks at what failed first', () => {
    const steps = [
      { ...brief('a', 'completed'), error: '' },
      { ...brief('b', 'skipped'), error: 'c did not succeed' },
      { ...brief('c', 'failed'), error: 'ValueError: no' }
    ] as never;
    expect(firstLook({ run: run('r'), steps })).toBe('c');
    expect(firstLook({ run: run('r'), steps: [] })).toBe('');
  });

  it('finds the traceback that belongs to a step', () => {
    const output = (ename: string, evalue: string): object => ({
      output_type: 'error',
      ename,
      evalue,
      traceback: [ename, evalue]
    });
    const content = {
      cells: [
        { cell_type: 'markdown' },
        { outputs: [output('KeyError', "'x'"), { output_type: 'stream' }] },
        { outputs: [output('ValueError', 'no')] }
      ]
    } as never;
    expect(tracebackOf(content, 'ValueError: no')).toBe('ValueError\nno');
    expect(tracebackOf(content, 'something else')).toBe("KeyError\n'x'");
    expect(tracebackOf({}, '')).toBe('');
  });

  it('draws steps along time', () => {
    const steps = [
      brief('a', 'completed', { started: NOON - 100, ended: NOON - 50 }),
      brief('b', 'running', { started: NOON - 50 }),
      brief('c', 'pending')
    ];
    const { length, bars, ticks } = timelineOf(
      run('r', { state: 'running', started: NOON - 100, ended: 0 }),
      steps,
      NOW
    );
    expect(length).toBe(100);
    expect(bars.map(({ start, width }) => [start, width])).toEqual([
      [0, 0.5],
      [0.5, 0.5],
      [0, 0]
    ]);
    expect(ticks.map(({ seconds }) => seconds)).toEqual([0, 30, 60, 90]);
    expect(timelineOf(run('r', { started: 0, ended: 0 }), [], NOW)).toEqual({
      length: 0,
      bars: [],
      ticks: []
    });
  });

  it('marks the axis at round numbers', () => {
    expect(
      [0.3, 1.6, 7, 61, 3000, 90_000, 10_000_000].map(length =>
        tickDistance(length)
      )
    ).toEqual([0.05, 0.5, 2, 15, 600, 21_600, 1_814_400]);
  });
});

describe('the grid', () => {
  const columns = columnsOf(
    [
      run('new', {
        state: 'failed',
        started: NOON - 10,
        steps: [brief('load', 'completed'), brief('mean', 'failed')]
      }),
      run('old', {
        started: NOON - 60,
        steps: [brief('load', 'reused')]
      })
    ],
    [backfill('many', { created: NOON - 30 })]
  );

  function show(selected: ISquare | null = null): ISquare[] {
    const picked: ISquare[] = [];
    render(
      <RunGrid
        columns={columns}
        rows={['load', 'mean']}
        steps={['load', 'mean']}
        selected={selected}
        onSelect={square => {
          if (square) {
            picked.push(square);
          }
        }}
        known={KNOWN}
        now={NOW}
        trans={trans}
      />
    );
    return picked;
  }
  const focused = (): string | null =>
    document.activeElement?.getAttribute('aria-label') ?? null;

  afterEach(() => {
    cleanup();
  });

  it('says in words what its squares show', () => {
    show({ kind: 'run', id: 'new', step: 'mean' });
    const grid = screen.getByRole('grid');
    expect(grid.getAttribute('aria-rowcount')).toBe('3');
    const failed = screen.getByRole('gridcell', { name: /^mean, Failed/ });
    expect(failed.getAttribute('aria-selected')).toBe('true');
    expect(screen.getByRole('gridcell', { name: /not part of the run/ }));
    expect(
      screen.getByRole('columnheader', {
        name: 'Backfill, Running, 3 of 10 windows · 1 failed'
      })
    );
  });

  it('is one stop for Tab, and walked through by arrows', () => {
    const picked = show();
    const stops = [...document.querySelectorAll('[tabindex="0"]')];
    expect(stops).toHaveLength(1);
    act(() => {
      (stops[0] as HTMLElement).focus();
    });
    expect(focused()).toMatch(/^Run, Failed/);
    const press = (key: string): void => {
      fireEvent.keyDown(document.activeElement!, { key });
    };
    press('ArrowDown');
    press('ArrowDown');
    expect(focused()).toMatch(/^mean, Failed/);
    press('Enter');
    press('ArrowLeft');
    expect(focused()).toMatch(/^Backfill/);
    press('Enter');
    press('ArrowLeft');
    // Through the backfill, in the row that was left.
    expect(focused()).toMatch(/^mean is not part/);
    press('Home');
    press('ArrowUp');
    press(' ');
    expect(picked).toEqual([
      { kind: 'run', id: 'new', step: 'mean' },
      { kind: 'backfill', id: 'many', step: '' },
      { kind: 'run', id: 'old', step: 'load' }
    ]);
    expect(document.querySelectorAll('[tabindex="0"]')).toHaveLength(1);
  });

  it('tells of a square while the pointer is on it', () => {
    show();
    expect(screen.queryByText('By hand')).toBeNull();
    fireEvent.pointerOver(screen.getByRole('gridcell', { name: /^mean, F/ }));
    expect(screen.getByRole('tooltip').textContent).toContain('By hand');
    fireEvent.pointerLeave(screen.getByRole('grid'));
    expect(screen.queryByText('By hand')).toBeNull();
  });
});

it('knows where keys lead', () => {
  const size = { rows: 3, columns: 4 };
  const from = { row: 1, column: 1 };
  expect(placeAfter('End', false, from, size)).toEqual({ row: 1, column: 3 });
  expect(placeAfter('Home', true, from, size)).toEqual({ row: 0, column: 0 });
  expect(placeAfter('ArrowUp', false, { row: 0, column: 0 }, size)).toEqual({
    row: 0,
    column: 0
  });
  expect(placeAfter('x', false, from, size)).toBeNull();
});
