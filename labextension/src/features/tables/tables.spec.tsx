import { nullTranslator } from '@jupyterlab/translation';
import { cleanup, fireEvent, render, screen } from '@testing-library/react';
import * as React from 'react';
import type { ILineage } from '../../api';
import { LineageList, LineagePicture } from './view';

const trans = nullTranslator.load('jupyter_pipelines');

const LINEAGE: ILineage = {
  tables: [
    {
      name: 'mart.daily',
      step: 'build',
      cell: 3,
      how: 'incremental',
      reads: ['raw.flights'],
      columns: [
        {
          name: 'day',
          sources: [{ table: 'raw.flights', column: 'day', certain: true }]
        }
      ]
    },
    { name: 't', step: 'b', cell: 4, how: 'table', reads: [], columns: [] }
  ],
  picture: {
    width: 300,
    height: 80,
    row: 18,
    summary: 'mart.daily is made of raw.flights',
    boxes: [
      box('raw.flights', false, ['day']),
      box('mart.daily', true, ['day'])
    ],
    lines: [
      line('M0 0', true, 'mart.daily.day ← raw.flights.day'),
      line('M1 1', false, 'possible')
    ]
  }
};

function box(
  name: string,
  built: boolean,
  rows: string[]
): ILineage['picture']['boxes'][number] {
  return { name, built, rows, x: 0, y: 0, width: 100, height: 42 };
}

function line(
  path: string,
  certain: boolean,
  title: string
): ILineage['picture']['lines'][number] {
  return { path, certain, title };
}

describe('tables', () => {
  afterEach(cleanup);

  it('are drawn with their columns, and lines that say what is made of what', () => {
    const { container } = render(<LineagePicture lineage={LINEAGE} />);
    screen.getByRole('img', { name: 'mart.daily is made of raw.flights' });
    expect(
      Array.from(container.querySelectorAll('text'), text => text.textContent)
    ).toEqual(['raw.flights', 'day', 'mart.daily', 'day']);
    expect(container.querySelectorAll('.jp-mod-built')).toHaveLength(1);
    expect(container.querySelectorAll('.jp-mod-possible')).toHaveLength(1);
    expect(container.querySelector('path title')?.textContent).toBe(
      'mart.daily.day ← raw.flights.day'
    );
  });

  it('are listed, and lead to the cell that builds them', () => {
    const onPick = vi.fn();
    render(<LineageList lineage={LINEAGE} onPick={onPick} trans={trans} />);
    screen.getByText('incremental, of raw.flights');
    fireEvent.click(screen.getByRole('button', { name: 'mart.daily' }));
    expect(onPick).toHaveBeenCalledWith(3);
  });
});
