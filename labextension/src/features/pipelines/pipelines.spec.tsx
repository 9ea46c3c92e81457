import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { Signal } from '@lumino/signaling';
import { cleanup, fireEvent, render, screen } from '@testing-library/react';
import * as React from 'react';
import type { IPipelineSummary, PipelineState } from '../../api';
import type { ILive, IRecords } from '../../tokens';
import { chosen, counts, rowsSeen } from './model';
import { Pipelines } from './view';

function summary(
  notebook: string,
  state: PipelineState,
  change: Partial<IPipelineSummary> = {}
): IPipelineSummary {
  return {
    notebook,
    name: notebook.replace('.ipynb', ''),
    state,
    owner: 'ada',
    version: null,
    last_runs: [],
    next: null,
    schedules: 0,
    triggers: 0,
    missing: false,
    problem: '',
    ...change
  };
}

const label = 'v12';
const ALL = [
  summary('a.ipynb', 'active', { next: '2027-01-02T00:00:00+00:00' }),
  summary('b10.ipynb', 'failing', { owner: 'grace' }),
  summary('b9.ipynb', 'failing', {
    next: '2027-01-01T00:00:00+00:00',
    version: { id: 'x', label },
    last_runs: [{ id: 'r', state: 'failed', started: 5, ended: 6 }]
  })
];

const names = (all: readonly IPipelineSummary[]): string[] =>
  all.map(({ notebook }) => notebook.replace('.ipynb', ''));

describe('the table of pipelines', () => {
  const every = { text: '', state: '' } as const;

  it('is in the order that is asked for, equals by their names', () => {
    const by = (key: 'name' | 'state' | 'last' | 'next', descending = false) =>
      names(chosen(ALL, every, { key, descending }));
    expect(by('name')).toEqual(['a', 'b9', 'b10']);
    expect(by('state')).toEqual(['b9', 'b10', 'a']);
    expect(by('state', true)).toEqual(['a', 'b9', 'b10']);
    // What never ran, and what never will, comes last.
    expect(by('last')).toEqual(['b9', 'a', 'b10']);
    expect(by('next')).toEqual(['b9', 'a', 'b10']);
  });

  it('is filtered by words and by state', () => {
    const sort = { key: 'name', descending: false } as const;
    expect(names(chosen(ALL, { text: 'B GRACE', state: '' }, sort))).toEqual([
      'b10'
    ]);
    expect(names(chosen(ALL, { text: '', state: 'active' }, sort))).toEqual([
      'a'
    ]);
    expect(counts(ALL)).toEqual([
      ['failing', 2],
      ['active', 1]
    ]);
  });

  it('draws the rows that are seen, of however many', () => {
    expect(rowsSeen({ top: 0, height: 400 }, 40, 5000, 5)).toEqual({
      first: 0,
      end: 15
    });
    expect(rowsSeen({ top: 4000, height: 400 }, 40, 5000, 5)).toEqual({
      first: 95,
      end: 115
    });
    // The list has become shorter meanwhile.
    expect(rowsSeen({ top: 4000, height: 400 }, 40, 3, 5)).toEqual({
      first: 0,
      end: 3
    });
  });
});

describe('the page of pipelines', () => {
  function show(value: IPipelineSummary[] | null): string[] {
    const changed = new Signal<ILive<IPipelineSummary[]>, void>({} as never);
    const live = {
      value,
      error: null,
      asOf: null,
      changed,
      use: () => ({ dispose: () => undefined })
    };
    const commands = new CommandRegistry();
    const executed: string[] = [];
    for (const id of ['run', 'schedule', 'relink', 'pause']) {
      commands.addCommand(`jupyter-pipelines:${id}`, {
        describedBy: {},
        execute: args => {
          executed.push(`${id} ${args.path as string}`);
        }
      });
    }
    const records = { pipelines: live } as unknown as IRecords;
    const trans = nullTranslator.load('');
    render(<Pipelines records={records} commands={commands} trans={trans} />);
    return executed;
  }

  afterEach(() => {
    cleanup();
  });

  it('lists, sorts, finds and acts', () => {
    const executed = show([
      ...ALL,
      summary('gone.ipynb', 'paused', { missing: true, schedules: 1 })
    ]);
    const rows = (): (string | null)[] =>
      [...document.querySelectorAll('tbody th button')].map(
        button => button.textContent
      );
    expect(rows()).toEqual(['b9', 'b10', 'a', 'gone']);
    fireEvent.click(screen.getByRole('button', { name: 'Pipeline' }));
    expect(rows()).toEqual(['a', 'b9', 'b10', 'gone']);
    fireEvent.click(screen.getByRole('button', { name: 'Pipeline' }));
    expect(rows()).toEqual(['gone', 'b10', 'b9', 'a']);
    fireEvent.click(screen.getByRole('button', { name: 'Run b9.ipynb now' }));
    fireEvent.click(screen.getByRole('button', { name: 'Schedule a.ipynb' }));
    fireEvent.click(screen.getByRole('switch'));
    fireEvent.click(screen.getByRole('button', { name: 'gone' }));
    expect(executed).toEqual([
      'run b9.ipynb',
      'schedule a.ipynb',
      'pause gone.ipynb',
      'relink gone.ipynb'
    ]);
    fireEvent.change(screen.getByRole('searchbox'), {
      target: { value: 'nothing like it' }
    });
    expect(rows()).toEqual([]);
    fireEvent.click(screen.getByRole('button', { name: 'Show all' }));
    expect(rows()).toHaveLength(4);
  });

  it('says of what will fail that it will, and why', () => {
    const problem = 'Its next run will fail as things are: no pandas.';
    show([...ALL, summary('doomed.ipynb', 'will-fail', { problem })]);
    const row = screen.getByRole('row', { name: /doomed/ });
    expect(row.querySelector('.jp-Pipelines-chip')?.textContent).toBe(
      'Will fail'
    );
    expect(row.textContent).toContain(problem);
    // Before what runs well.
    expect(
      [...document.querySelectorAll('tbody th button')].map(
        button => button.textContent
      )
    ).toEqual(['b9', 'b10', 'doomed', 'a']);
  });

  it('says how there come to be some', () => {
    show([]);
    expect(screen.getByText('No pipelines yet'));
    cleanup();
    show(null);
    expect(screen.getByRole('status').textContent).toContain('Asking');
  });
});
