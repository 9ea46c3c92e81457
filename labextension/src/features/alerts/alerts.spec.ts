import { nullTranslator } from '@jupyterlab/translation';
import type { IAlert, ILimit, IPipeline } from '../../api';
import { notebookModel } from '../../testing';
import { writeRole } from '../cells/model';
import { limitOf, resourcesOf } from './bounds';
import {
  addressOf,
  alertFacts,
  alertRequest,
  destinationInWords,
  missingOf,
  newAlert,
  optionOf,
  withOption,
  writtenOption
} from './model';
import { writeOption } from './retries';

const trans = nullTranslator.load('');

describe('the destination of an alert', () => {
  it.each([
    [
      { to: 'ann@example.com', server: 'smtp.example.com' },
      'mailtos://smtp.example.com/?to=ann%40example.com'
    ],
    [
      {
        to: 'ann@example.com, bob@example.com',
        server: 'smtp.example.com',
        security: 'tls' as const,
        user: 'ann@example.com',
        passwordFile: 'secrets/smtp',
        from: 'me@example.com'
      },
      'mailtos://ann%40example.com@smtp.example.com:465/?to=ann%40example.com,bob%40example.com&from=me%40example.com&password_file=secrets%2Fsmtp'
    ],
    [
      {
        to: 'ann@example.com',
        server: 'localhost:2525',
        security: 'none' as const
      },
      'mailto://localhost:2525/?to=ann%40example.com'
    ],
    [
      { kind: 'webhook' as const, address: ' https://example.com/hook ' },
      'https://example.com/hook'
    ]
  ])('of %o', (change, address) => {
    expect(addressOf({ ...newAlert(), ...change })).toBe(address);
  });

  it.each([
    [
      'mailtos://smtp.example.com/?to=ann@example.com',
      'E-mail to ann@example.com'
    ],
    ['https://example.com/***', 'Webhook at example.com'],
    ['slack://***', 'Slack'],
    ['ntfy://***', 'ntfy']
  ])('%s in words', (to, words) => {
    expect(destinationInWords(to, trans)).toBe(words);
  });
});

it('asks for what is needed, and sends only what is set', () => {
  const draft = { ...newAlert(), kind: 'webhook' as const };
  expect(missingOf(draft)).toBe('to');
  const filled = { ...draft, address: 'https://example.com', slow: '2' };
  expect(missingOf({ ...filled, on: [] })).toBe('on');
  expect(alertRequest('n.ipynb', { ...filled, on: ['failure'] })).toEqual({
    notebook: 'n.ipynb',
    to: 'https://example.com',
    on: ['failure']
  });
  expect(alertRequest('n.ipynb', { ...filled, everywhere: true })).toEqual({
    to: 'https://example.com',
    on: ['failure', 'recovery', 'late'],
    slow: 2
  });
});

it('tells what an alert is for, and how it has gone', () => {
  const alert: IAlert = {
    id: 'a',
    notebook: null,
    on: ['recovery', 'failure'],
    to: '',
    repeat: 3600,
    slow: null,
    since: 0,
    sent: 3,
    last_sent: null,
    waiting: 1,
    dropped: 0,
    problem: ''
  };
  expect(alertFacts(alert, trans)).toEqual([
    'when it fails or works again',
    'again every 1 h',
    'all notebooks',
    '3 sent',
    '1 waits'
  ]);
});

describe('options in the notebook', () => {
  it.each([
    ['retries', '2', 2],
    ['retries', '-1', null],
    ['retries', '1.5', null],
    ['retry_delay', '10 s', '10s'],
    ['timeout', '1h30m', '1h30m'],
    ['timeout', 'soon', null],
    ['retry_backoff', '0.5', null],
    ['retry_backoff', '2', 2],
    ['max_parallel', '0', null],
    ['timeout', ' ', undefined]
  ] as const)('%s of %j is %j', (name, text, value) => {
    expect(optionOf(name, text)).toBe(value);
  });

  it('leave the others alone, and nothing behind when there are none', () => {
    const options = withOption({ files: ['a'] }, 'retries', 2);
    expect(options).toEqual({ files: ['a'], retries: 2 });
    expect(writtenOption(options, 'retries')).toBe('2');
    expect(withOption({ retries: 2 }, 'retries', undefined)).toBeNull();
    expect(withOption(null, 'retries', 1)).toEqual({ retries: 1 });
  });
});

it('finds the limit of a notebook by its path, or its pipeline’s name', () => {
  const limit = (kind: ILimit['kind'], name: string): ILimit => ({
    kind,
    name,
    slots: 1,
    running: [],
    waiting: []
  });
  const all = [limit('resource', 'sales'), limit('pipeline', 'sales')];
  expect(limitOf(all, ['a.ipynb', 'sales'])).toBe(all[1]);
  expect(limitOf(all, ['a.ipynb'])).toBeNull();
});

it('knows the resources that the steps of a pipeline need, each once', () => {
  const steps = [['db'], [], ['gpu', 'db']].map(resources => ({
    options: { resources }
  }));
  expect(resourcesOf({ steps } as unknown as IPipeline)).toEqual(['db', 'gpu']);
});

describe('options of a notebook', () => {
  it('are undone as tags are, and what others set beside them is not', () => {
    const model = notebookModel({ tags: ['setup'] });
    const { sharedModel } = model;
    const state = (): unknown[] => [
      model.getMetadata('pipeline'),
      model.getMetadata('kernelspec'),
      model.cells.get(0).getMetadata('tags')
    ];
    sharedModel.clearUndoHistory();
    writeOption(model, 'retries', '2');
    model.setMetadata('kernelspec', { name: 'other' });
    writeRole(model, [...model.cells], { role: 'step', name: 'a' });
    writeOption(model, 'timeout', '1h');
    const all = [{ retries: 2, timeout: '1h' }, { name: 'other' }, ['step:a']];
    expect(state()).toEqual(all);
    sharedModel.undo();
    expect(state()).toEqual([{ retries: 2 }, { name: 'other' }, ['step:a']]);
    sharedModel.undo();
    expect(state()).toEqual([{ retries: 2 }, { name: 'other' }, ['setup']]);
    sharedModel.undo();
    expect(state()).toEqual([undefined, { name: 'other' }, ['setup']]);
    expect(sharedModel.canUndo()).toBe(false);
    sharedModel.redo();
    sharedModel.redo();
    sharedModel.redo();
    expect(state()).toEqual(all);
    model.dispose();
  });
});
