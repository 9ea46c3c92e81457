import { describe, expect, it } from 'vitest';
import type { IPipelineSummary, ITable } from '../../api';
import { bySchema, countText, producerOf, sqlName } from './model';

function table(schema: string, name: string): ITable {
  return { schema, name, kind: 'table', columns: 1, rows: 1, changed: null };
}

function pipeline(
  notebook: string,
  written: string[],
  started: number
): IPipelineSummary {
  return {
    notebook,
    tables_written: written,
    last_runs: [{ id: notebook, state: 'completed', started, ended: 0 }]
  } as unknown as IPipelineSummary;
}

describe('names in SQL', () => {
  it.each([
    ['main', 'orders', 'orders'],
    ['mart', 'orders', 'mart.orders'],
    ['mart', 'Daily "x"', 'mart."Daily ""x"""'],
    ['my schema', 'a', '"my schema".a'],
    ['mart', '2024', 'mart."2024"']
  ])('writes %s and %s as %s', (schema, name, written) => {
    expect(sqlName({ schema, name })).toBe(written);
  });
});

describe('tables', () => {
  const tables = [table('main', 'a'), table('mart', 'a'), table('mart', 'Bc')];

  it('stand by their schemas', () => {
    expect(
      bySchema(tables).map(([schema, found]) => [schema, found.length])
    ).toEqual([
      ['main', 1],
      ['mart', 2]
    ]);
  });

  it('are found by words in their names', () => {
    expect(bySchema(tables, 'b mart')).toEqual([['mart', [tables[2]]]]);
    expect(bySchema(tables, 'nothing')).toEqual([]);
  });

  it('are counted in little room', () => {
    expect(
      [0, 9_999, 336_776, 12_345_678].map(rows => countText(rows, 'en'))
    ).toEqual(['0', '9,999', '337K', '12.3M']);
  });

  it('are built by the pipeline that ran last of those that write them', () => {
    const pipelines = [
      pipeline('old.ipynb', ['mart.a'], 1),
      pipeline('new.ipynb', ['Mart.A'], 2),
      pipeline('other.ipynb', ['a'], 3)
    ];
    expect(producerOf(table('mart', 'a'), pipelines)?.notebook).toBe(
      'new.ipynb'
    );
    expect(producerOf(table('main', 'a'), pipelines)?.notebook).toBe(
      'other.ipynb'
    );
    expect(producerOf(table('mart', 'Bc'), pipelines)).toBeNull();
  });
});
