import type { NotebookModel } from '@jupyterlab/notebook';
import type { IDiagnostic, IPipeline } from '../../api';
import { notebookModel, pipeline } from '../../testing';
import type { ICompiler } from '../../tokens';
import { readTags } from '../cells/model';
import { applyEdits, applyFix } from './fixes';

function sources(model: NotebookModel): string[] {
  return Array.from(model.cells, cell => cell.sharedModel.getSource());
}

it('makes edits as one change, with the cells as they were before any', () => {
  const model = notebookModel(
    { source: 'a', tags: ['setup'] },
    { source: 'b' },
    { source: 'c' }
  );
  model.sharedModel.clearUndoHistory();
  applyEdits(model, [
    { kind: 'insert', cell: 1, tags: ['parameters'], source: 'n = 1' },
    { kind: 'insert', cell: 4, tags: [], source: 'end' },
    { kind: 'source', cell: 3, source: 'C' },
    { kind: 'tags', cell: 1, tags: [] }
  ]);
  expect(sources(model)).toEqual(['n = 1', 'a', 'b', 'C', 'end']);
  expect(Array.from(model.cells, readTags)).toEqual([
    ['parameters'],
    [],
    [],
    [],
    []
  ]);
  model.sharedModel.undo();
  expect(sources(model)).toEqual(['a', 'b', 'c']);
  expect(readTags(model.cells.get(0))).toEqual(['setup']);
  model.dispose();
});

describe('applying a fix', () => {
  const title = 'mend';
  const problem = (source: string): IDiagnostic => ({
    code: 'JP1',
    severity: 'error',
    message: 'wrong',
    fix: '',
    step: null,
    location: { cell: 1, line: 1 },
    fixes: [{ title, edits: [{ kind: 'source', cell: 1, source }] }]
  });

  /** A compiler whose answers are about the notebook as it is asked. */
  function compilerOf(
    model: NotebookModel,
    answer: (source: string) => Partial<IPipeline>,
    meanwhile: () => void = () => undefined
  ): ICompiler {
    const current = {
      notebook: { model },
      pipeline: null as IPipeline | null,
      error: ''
    };
    return {
      current,
      refresh: () => {
        const asked = model.cells.get(0).sharedModel.getSource();
        current.pipeline = pipeline(answer(asked));
        meanwhile();
        return Promise.resolve();
      }
    } as unknown as ICompiler;
  }

  it('takes nothing back that was typed since', async () => {
    const model = notebookModel({ source: 'old' });
    const old = problem('old, mended');
    model.cells.get(0).sharedModel.setSource('new');
    let typed = 0;
    const compiler = compilerOf(
      model,
      source => ({ diagnostics: [problem(`${source}, mended`)] }),
      () => {
        if (typed++ === 0) {
          model.cells.get(0).sharedModel.setSource('newer');
        }
      }
    );
    expect(await applyFix(compiler, old, old.fixes![0]!)).toBe(true);
    expect(sources(model)).toEqual(['newer, mended']);
    model.dispose();
  });

  it('does nothing about a problem that is gone', async () => {
    const model = notebookModel({ source: 'fine' });
    const old = problem('overwritten');
    const compiler = compilerOf(model, () => ({}));
    expect(await applyFix(compiler, old, old.fixes![0]!)).toBe(false);
    expect(sources(model)).toEqual(['fine']);
    model.dispose();
  });
});
