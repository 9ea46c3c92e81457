import type { ServerConnection } from '@jupyterlab/services';
import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import {
  act,
  cleanup,
  fireEvent,
  render,
  screen
} from '@testing-library/react';
import * as React from 'react';
import { ApiError, type IColumn, type IEvent, type ISource } from '../../api';
import type { IRecords } from '../../tokens';
import { EventStream } from '../live/events';
import { Live } from '../live/live';
import { Sources } from './sources';

const SOURCES: ISource[] = [
  { name: 'crm', type: 'postgres', place: 'db/crm', problem: '' },
  { name: 'landing', type: 'files', place: '/data', problem: '' },
  { name: 'odd', type: '', place: '', problem: 'It has no url.' }
];
const COLUMNS: IColumn[] = [
  { name: 'Full Name', type: 'VARCHAR', nullable: true }
];

function stream(): EventStream {
  return new EventStream(
    { wsUrl: 'ws://lab/' } as ServerConnection.ISettings,
    () => ({ close: () => undefined }) as unknown as WebSocket
  );
}

function shown(wanted = ''): void {
  const events = stream();
  const api = {
    sources: () => Promise.resolve(SOURCES),
    sourceTables: (name: string) =>
      name === 'crm'
        ? Promise.reject(new ApiError('crm does not answer.', 'Check it.'))
        : Promise.resolve(['landing.days', 'landing."odd-1"']),
    sourceColumns: () => Promise.resolve(COLUMNS)
  };
  const live = <T,>(
    fetch: (signal: AbortSignal) => Promise<T>,
    concerns: (event: IEvent) => boolean
  ): Live<T> => new Live({ fetch, concerns, events });
  render(
    <Sources
      records={{ api, live } as unknown as IRecords}
      commands={new CommandRegistry()}
      trans={nullTranslator.load('jupyter_pipelines')}
      wanted={wanted}
      renewed={0}
    />
  );
}

async function open(name: string): Promise<void> {
  const heading = await screen.findByRole('heading', { name });
  const details = heading.closest('details');
  await act(async () => {
    details?.setAttribute('open', '');
    details?.dispatchEvent(new Event('toggle'));
    await new Promise(resolve => setTimeout(resolve));
  });
}

describe('external sources', () => {
  afterEach(cleanup);

  it('are asked one by one, and one that does not answer says why', async () => {
    shown();
    await open('crm');
    await open('landing');
    await open('odd');
    expect(await screen.findByText('crm does not answer.')).toBeTruthy();
    expect(screen.getByText('It has no url.')).toBeTruthy();
    const tables = await screen.findByRole('list', {
      name: 'Tables in landing'
    });
    expect(
      [...tables.querySelectorAll('.jp-Pipelines-rowName')].map(
        one => one.textContent
      )
    ).toEqual(['days', '"odd-1"']);
  });

  it('have columns, whose names can be taken', async () => {
    shown('ODD');
    await open('landing');
    fireEvent.click(await screen.findByRole('button', { name: '"odd-1"' }));
    expect(screen.queryByRole('button', { name: 'days' })).toBeNull();
    expect(
      await screen.findByRole('button', {
        name: 'Insert "Full Name" into the cell'
      })
    ).toBeTruthy();
  });
});
