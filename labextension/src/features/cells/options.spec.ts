import type { ICellModel } from '@jupyterlab/cells';
import { notebookModel } from '../../testing';
import {
  type IStepOptions,
  isDuration,
  readOptions,
  writeOptions,
  wrongFields
} from './options';

const NONE: IStepOptions = {
  retries: '',
  retry_delay: '',
  timeout: '',
  cache: null,
  resources: '',
  after: []
};

function metadata(cell: ICellModel | undefined): unknown[] {
  return [cell?.getMetadata('pipeline'), cell?.getMetadata('tags')];
}

it.each(['90', '10s', '5m', '1h30m', '2d', '1.5h', '1 h 30 m'])(
  '“%s” is a duration',
  text => {
    expect(isDuration(text)).toBe(true);
  }
);
it.each(['', 'soon', '5 minutes', '-3', 'h', '1m1h'])('“%s” is none', text => {
  expect(isDuration(text)).toBe(false);
});

it('says which fields are wrong', () => {
  expect(wrongFields(NONE).size).toBe(0);
  const wrong = {
    ...NONE,
    retries: '1001',
    retry_delay: 'x',
    timeout: '0s',
    resources: 'gpu, the database!'
  };
  expect([...wrongFields(wrong)]).toEqual([
    'retries',
    'retry_delay',
    'timeout',
    'resources'
  ]);
});

it('reads what the cells of a step state together, whatever is there', () => {
  const model = notebookModel(
    { tags: ['step:a', 'after:x'] },
    { tags: ['step:a', 'prev:y;z'] },
    {}
  );
  const [first, second, third] = model.cells;
  first!.setMetadata('pipeline', 'nonsense');
  second!.setMetadata('pipeline', { retries: 2, after: ['x', 3] });
  third!.setMetadata('pipeline', { retries: 9, timeout: 90, cache: 'no' });
  expect(readOptions([...model.cells])).toEqual({
    retries: '2',
    retry_delay: '',
    timeout: '90',
    cache: null,
    resources: '',
    after: ['x', 'y', 'z']
  });
  model.dispose();
});

it('states what changed at the first cell, leaves the rest, and is undone as one', () => {
  const model = notebookModel(
    { tags: ['step:a'] },
    { tags: ['step:a', 'after:x', 'slide'] }
  );
  const cells = [...model.cells];
  cells[1]!.setMetadata('pipeline', { retries: 2, env: { A: '1' } });
  model.sharedModel.clearUndoHistory();
  const before = readOptions(cells);
  writeOptions(model, cells, before);
  expect(model.sharedModel.canUndo()).toBe(false);
  writeOptions(model, cells, {
    ...before,
    retries: '3',
    timeout: '10m',
    cache: false,
    after: ['x', 'y']
  });
  expect(cells.map(metadata)).toEqual([
    [
      { retries: 3, timeout: '10m', cache: false },
      ['step:a', 'after:x', 'after:y']
    ],
    [{ env: { A: '1' } }, ['step:a', 'slide']]
  ]);
  expect(readOptions(cells).retries).toBe('3');
  model.sharedModel.undo();
  expect(readOptions(cells)).toEqual(before);
  expect(cells[0]!.metadata).not.toHaveProperty('pipeline');
  model.dispose();
});

it('leaves nothing behind where nothing is stated', () => {
  const model = notebookModel({ tags: ['step:a'] });
  const cells = [...model.cells];
  writeOptions(model, cells, { ...NONE, retries: '1' });
  writeOptions(model, cells, NONE);
  expect(cells[0]!.metadata).toEqual({ tags: ['step:a'] });
  model.dispose();
});

it('states resources as a list, and leaves one as it was written', () => {
  const model = notebookModel({ tags: ['step:a'] });
  const cells = [...model.cells];
  cells[0]!.setMetadata('pipeline', { resources: 'gpu' });
  const before = readOptions(cells);
  expect(before.resources).toBe('gpu');
  writeOptions(model, cells, { ...before, retries: '1' });
  expect(cells[0]!.getMetadata('pipeline')).toEqual({
    resources: 'gpu',
    retries: 1
  });
  writeOptions(model, cells, {
    ...before,
    retries: '1',
    resources: 'database,gpu, gpu'
  });
  expect(cells[0]!.getMetadata('pipeline')).toEqual({
    resources: ['database', 'gpu'],
    retries: 1
  });
  model.dispose();
});
