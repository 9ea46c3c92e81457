import type { NotebookModel, NotebookPanel } from '@jupyterlab/notebook';
import { notebookModel } from '../../testing';
import { readTags } from '../cells/model';
import { Suggestions } from './model';

function panelOf(model: NotebookModel): NotebookPanel {
  const widgets = Array.from(model.cells, cell => ({ model: cell }));
  return { content: { model, widgets } } as unknown as NotebookPanel;
}

const SUGGESTION = {
  cells: [
    { cell: 1, role: 'setup' as const, name: '', reason: '' },
    { cell: 2, role: 'step' as const, name: 'load', reason: '' },
    { cell: 3, role: 'step' as const, name: 'sum', reason: '' }
  ],
  reasons: []
};

function suggested(): {
  model: NotebookModel;
  panel: NotebookPanel;
  suggestions: Suggestions;
  tags: () => string[][];
} {
  const model = notebookModel(
    { source: 'import math' },
    { source: 'x = 1', tags: ['slide'] },
    { source: 'y = x' }
  );
  const panel = panelOf(model);
  const suggestions = new Suggestions();
  suggestions.set(panel, SUGGESTION);
  model.sharedModel.clearUndoHistory();
  const tags = (): string[][] => Array.from(model.cells, readTags);
  return { model, panel, suggestions, tags };
}

it('accepts all at once, as one change', () => {
  const { model, panel, suggestions, tags } = suggested();
  suggestions.accept(panel);
  expect(tags()).toEqual([['setup'], ['slide', 'step:load'], ['step:sum']]);
  expect(suggestions.of(panel).size).toBe(0);
  model.sharedModel.undo();
  expect(tags()).toEqual([[], ['slide'], []]);
});

it('accepts and rejects one by one, wherever the cells went', () => {
  const { model, panel, suggestions, tags } = suggested();
  const [first, , third] = Array.from(model.cells, cell => cell.id);
  model.sharedModel.moveCell(2, 0);
  suggestions.accept(panel, [third!]);
  suggestions.reject(panel, [first!]);
  expect(tags()).toEqual([['step:sum'], [], ['slide']]);
  expect([...suggestions.of(panel).values()].map(one => one.name)).toEqual([
    'load'
  ]);
});

it('leaves alone what the author has tagged meanwhile', () => {
  const { model, panel, suggestions, tags } = suggested();
  model.cells.get(1).setMetadata('tags', ['skip']);
  suggestions.accept(panel);
  expect(tags()).toEqual([['setup'], ['skip'], ['step:sum']]);
});
