import { notebookModel } from '../../testing';
import {
  readMagic,
  readRole,
  readTags,
  renameStep,
  withRole,
  writeRole
} from './model';
import { headingAbove, isStepName, suggestStepName } from './names';

describe('reading roles', () => {
  it.each([
    [['step:clean'], { role: 'step', name: 'clean' }],
    [['hide-input', 'setup'], { role: 'setup', name: '' }],
    [['parameters'], { role: 'parameters', name: '' }],
    [['skip', 'after:a'], { role: 'skip', name: '' }],
    [['block:train', 'prev:load'], { role: 'step', name: 'train' }],
    [['imports'], { role: 'setup', name: '' }],
    [['hide-input'], null],
    [['step:'], null],
    [['constructor', 'toString'], null],
    [[], null]
  ])('%j', (tags, role) => {
    expect(readRole(tags)).toEqual(role);
  });

  it('survives metadata that is no list of tags', () => {
    for (const value of [undefined, 'setup', 3, [1, null, 'setup']]) {
      const tags = readTags({ getMetadata: () => value });
      expect(tags).toEqual(Array.isArray(value) ? ['setup'] : []);
    }
  });
});

describe('changing roles', () => {
  it('leaves foreign tags where they are', () => {
    const tags = ['hide-input', 'step:a', 'after:b', 'slide'];
    expect(withRole(tags, { role: 'step', name: 'c' })).toEqual([
      'hide-input',
      'after:b',
      'slide',
      'step:c'
    ]);
    expect(withRole(tags, { role: 'setup', name: '' })).toEqual([
      'hide-input',
      'slide',
      'setup'
    ]);
    expect(withRole(tags, null)).toEqual(['hide-input', 'slide']);
  });

  it('is undone as one step, whatever the number of cells', () => {
    const model = notebookModel({ tags: ['slide'] }, { tags: ['skip'] }, {});
    const cells = [...model.cells];
    const tags = (): string[][] => cells.map(readTags);
    model.sharedModel.clearUndoHistory();
    writeRole(model, cells, { role: 'step', name: 'a' });
    expect(tags()).toEqual([['slide', 'step:a'], ['step:a'], ['step:a']]);
    model.sharedModel.undo();
    expect(tags()).toEqual([['slide'], ['skip'], []]);
    model.sharedModel.redo();
    expect(tags()).toEqual([['slide', 'step:a'], ['step:a'], ['step:a']]);
    writeRole(model, cells.slice(0, 1), null);
    model.sharedModel.undo();
    expect(tags()).toEqual([['slide', 'step:a'], ['step:a'], ['step:a']]);
    model.dispose();
  });

  it('leaves no empty list behind', () => {
    const model = notebookModel({ tags: ['setup'] });
    writeRole(model, [...model.cells], null);
    expect(model.cells.get(0).metadata).not.toHaveProperty('tags');
    model.dispose();
  });
});

describe('names of steps', () => {
  it.each(['a', 'load-data', 'Clean_2', '_x1', 'setup-step'])(
    '%s is one',
    name => {
      expect(isStepName(name)).toBe(true);
    }
  );
  it.each(['', '1a', 'a b', 'a:b', '-a', 'a.b', 'Größe', 'Setup', 'notebook'])(
    '“%s” is none',
    name => {
      expect(isStepName(name)).toBe(false);
    }
  );
  it('are offered from the heading above, and never twice', () => {
    expect(suggestStepName('2. Clean the data', new Set())).toBe(
      'clean-the-data'
    );
    expect(suggestStepName('Clean', new Set(['clean', 'clean-2']))).toBe(
      'clean-3'
    );
    expect(suggestStepName('', new Set(['step-1']))).toBe('step-2');
    expect(suggestStepName('🎉', new Set())).toBe('step-1');
  });
  it('come from the nearest heading', () => {
    const model = notebookModel(
      { type: 'markdown', source: '# Flights\n\ntext' },
      { source: '# not a heading' },
      { type: 'markdown', source: '## Clean ##' },
      {}
    );
    expect(headingAbove(model.cells, 1)).toBe('Flights');
    expect(headingAbove(model.cells, 3)).toBe('Clean');
    model.dispose();
  });
});

it('reads what a magic says, in the first line only', () => {
  expect(readMagic('%%step load --retries 2\nx = 1')).toEqual({
    role: 'step',
    name: 'load'
  });
  expect(readMagic('%%setup')).toEqual({ role: 'setup', name: '' });
  expect(readMagic('x = 1\n%%skip')).toBeNull();
  expect(readMagic('%%steps a')).toBeNull();
});

it('calls a step something else wherever it is named, as one change', () => {
  const model = notebookModel(
    { tags: ['step:a', 'slide'] },
    { tags: ['step:b', 'after:a', 'prev:a'] },
    { tags: ['step:aa', 'after:b'] },
    { tags: ['block:a'] }
  );
  const tags = (): string[][] => [...model.cells].map(readTags);
  const before = tags();
  model.cells.get(2).setMetadata('pipeline', { after: ['a', 'b'], retries: 1 });
  model.sharedModel.clearUndoHistory();
  renameStep(model, 'a', 'load');
  expect(tags()).toEqual([
    ['step:load', 'slide'],
    ['step:b', 'after:load', 'prev:load'],
    ['step:aa', 'after:b'],
    ['block:load']
  ]);
  expect(model.cells.get(2).getMetadata('pipeline')).toEqual({
    after: ['load', 'b'],
    retries: 1
  });
  model.sharedModel.undo();
  expect(tags()).toEqual(before);
  model.dispose();
});
