/** Carrying out what the compiler offers to put a problem right. */
import type { INotebookModel } from '@jupyterlab/notebook';
import type { Edit, IDiagnostic, IFix } from '../../api';
import type { ICompiler } from '../../tokens';
import { change, setTags } from '../cells/model';
import { withoutOutputs } from '../compilation/model';

/** Make edits, as one change. Their cells are those before any of them; insertions come last, from the end. */
export function applyEdits(
  notebook: INotebookModel,
  edits: readonly Edit[]
): void {
  const inserts = edits
    .filter(edit => edit.kind === 'insert')
    .sort((a, b) => b.cell - a.cell);
  change(notebook, () => {
    for (const edit of edits) {
      const cell = notebook.cells.get(edit.cell - 1) as
        ReturnType<typeof notebook.cells.get> | undefined;
      if (edit.kind === 'tags' && cell) {
        setTags(cell, edit.tags);
      } else if (edit.kind === 'source' && cell) {
        cell.sharedModel.setSource(edit.source);
      }
    }
    for (const { cell, tags, source } of inserts) {
      notebook.sharedModel.insertCell(cell - 1, {
        cell_type: 'code',
        source,
        metadata: tags.length > 0 ? { tags } : {}
      });
    }
  });
}

function sameProblem(a: IDiagnostic, b: IDiagnostic): boolean {
  return (
    a.code === b.code &&
    a.message === b.message &&
    a.location?.cell === b.location?.cell
  );
}

/**
 * Apply a fix to the open notebook; false when the problem is not there any more.
 *
 * Its edits are asked for anew: those at hand may be older than what the author typed since, and would take it back.
 */
export async function applyFix(
  compiler: ICompiler,
  problem: IDiagnostic,
  { title }: IFix
): Promise<boolean> {
  const model = compiler.current.notebook?.model;
  if (!model) {
    return false;
  }
  for (let attempt = 0; attempt < 3; attempt++) {
    const before = JSON.stringify(withoutOutputs(model));
    await compiler.refresh();
    const { notebook, pipeline, error } = compiler.current;
    if (error) {
      throw new Error(error);
    }
    if (notebook?.model !== model) {
      return false;
    }
    if (JSON.stringify(withoutOutputs(model)) === before) {
      const fix = pipeline?.diagnostics
        .find(other => sameProblem(other, problem))
        ?.fixes?.find(other => other.title === title);
      if (fix) {
        applyEdits(model, fix.edits);
        void compiler.refresh();
      }
      return fix !== undefined;
    }
  }
  return false;
}
