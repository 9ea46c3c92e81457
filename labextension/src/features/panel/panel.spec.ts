import type { IPipelineSummary } from '../../api';
import { edge, notebookModel, pipeline, step } from '../../testing';
import type { ICompilation } from '../../tokens';
import {
  byProducer,
  countProblems,
  faceOf,
  movedFrom,
  ranges,
  sortedDiagnostics,
  stepOfCell,
  waitsOf
} from './model';

function compilation(change: object): ICompilation {
  return {
    notebook: null,
    pipeline: null,
    error: '',
    pending: false,
    activeCell: 0,
    ...change
  };
}

describe('the face of the panel', () => {
  const tagged = { model: notebookModel({ tags: ['step:a'] }) };
  const magic = { model: notebookModel({ source: '%%step load\nx = 1' }) };
  const debugging = notebookModel({});
  debugging.setMetadata('jupyter_pipelines', {
    debug: { step: 'fit', notebook: '/home/ann/sales.ipynb' }
  });
  const untagged = { model: notebookModel({ source: 'x = 1' }) };
  it.each([
    ['no-notebook', {}],
    ['loading', { notebook: tagged, pending: true }],
    ['error', { notebook: tagged, error: 'gone' }],
    ['steps', { notebook: tagged, pipeline: pipeline() }],
    ['steps', { notebook: magic, pipeline: pipeline() }],
    ['steps', { notebook: tagged, pipeline: pipeline(), error: 'gone' }],
    ['untagged', { notebook: untagged, pipeline: pipeline() }],
    ['debug', { notebook: { model: debugging }, pipeline: pipeline() }]
  ])('is %s', (face, change) => {
    expect(faceOf(compilation(change))).toBe(face);
  });
});

it('writes positions as people do', () => {
  expect(ranges([])).toBe('');
  expect(ranges([3])).toBe('3');
  expect(ranges([3, 4, 5])).toBe('3–5');
  expect(ranges([3, 7, 8, 10])).toBe('3, 7–8, 10');
});

it('groups inputs by the step they come from', () => {
  const input = (name: string, producer: string) => ({ name, producer });
  expect(
    byProducer([input('a', 'x'), input('b', 'y'), input('c', 'x')])
  ).toEqual([
    ['x', ['a', 'c']],
    ['y', ['b']]
  ]);
});

it('says which step builds the tables that another reads, and what else it waits for', () => {
  const compiled = pipeline({
    steps: [
      step('a', [1], { tables_written: ['t'] }),
      step('check', [2], { tables_read: ['t'] }),
      step('b', [3], { tables_read: ['t', 'base.u'] })
    ],
    edges: [
      edge('a', 'check', { kind: 'table', name: 't' }),
      edge('a', 'b', { kind: 'table', name: 't' }),
      edge('check', 'b', { kind: 'table', name: 't', explanation: 'checked' }),
      edge('a', 'b', { name: 'x' })
    ]
  });
  expect(waitsOf(compiled)[2]).toEqual({
    tables: [
      ['a', ['t']],
      ['', ['base.u']]
    ],
    reasons: ['checked']
  });
});

it('knows a notebook that was moved by its name, while it has nothing of its own', () => {
  const summary = (notebook: string, change = {}): IPipelineSummary =>
    ({
      notebook,
      version: null,
      last_runs: [],
      schedules: 0,
      triggers: 0,
      missing: false,
      ...change
    }) as unknown as IPipelineSummary;
  const here = summary('new/a.ipynb');
  const before = summary('old/a.ipynb', { missing: true });
  const others = [summary('a.ipynb'), summary('b.ipynb', { missing: true })];
  expect(movedFrom(here, [...others, before])).toBe(before);
  expect(movedFrom(here, others)).toBeUndefined();
  expect(movedFrom({ ...here, schedules: 1 }, [before])).toBeUndefined();
  expect(movedFrom(null, [before])).toBeUndefined();
});

it('finds the step of a cell', () => {
  const compiled = pipeline({ steps: [step('a', [2, 3]), step('b', [5])] });
  expect([1, 2, 3, 4, 5].map(cell => stepOfCell(compiled, cell))).toEqual([
    '',
    'a',
    'a',
    '',
    'b'
  ]);
});

it('puts errors first, and counts', () => {
  const diagnostic = (
    severity: 'error' | 'warning' | 'info',
    cell: number | null
  ) => ({
    code: '',
    severity,
    message: '',
    fix: '',
    step: null,
    location: cell === null ? null : { cell, line: 1 }
  });
  const all = [
    diagnostic('info', 1),
    diagnostic('error', 9),
    diagnostic('warning', 2),
    diagnostic('error', null)
  ];
  expect(
    sortedDiagnostics(all).map(({ severity, location }) => [
      severity,
      location?.cell
    ])
  ).toEqual([
    ['error', undefined],
    ['error', 9],
    ['warning', 2],
    ['info', 1]
  ]);
  expect(countProblems(all)).toEqual({ errors: 2, warnings: 1 });
});
