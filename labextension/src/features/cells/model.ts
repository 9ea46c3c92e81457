/** The pipeline's words in a cell's tags: reading them, and writing them so that they can be undone. */
import { YNotebook } from '@jupyter/ydoc';
import type { ICellModel } from '@jupyterlab/cells';
import type { INotebookModel } from '@jupyterlab/notebook';

export type Role = 'parameters' | 'setup' | 'step' | 'skip';

/** What a cell says it is; `name` is the step's. */
export interface ITagged {
  role: Role;
  name: string;
}

const STEP = /^(?:step|block):(.*)$/;
const PLAIN: Record<string, Role> = {
  parameters: 'parameters',
  'pipeline-parameters': 'parameters',
  setup: 'setup',
  imports: 'setup',
  functions: 'setup',
  skip: 'skip'
};
// Tags that only mean something beside a step's.
const OF_A_STEP = /^(?:after|prev):/;

/** The cell's tags, whatever its metadata holds. */
export function readTags(cell: Pick<ICellModel, 'getMetadata'>): string[] {
  const tags: unknown = cell.getMetadata('tags');
  return Array.isArray(tags)
    ? tags.filter((tag): tag is string => typeof tag === 'string')
    : [];
}

/** What these tags say; `null` when they say nothing to us. */
export function readRole(tags: readonly string[]): ITagged | null {
  for (const tag of tags) {
    const step = STEP.exec(tag);
    // Kale writes `block:` without a name for "continues the block above".
    if (step?.[1]) {
      return { role: 'step', name: step[1] };
    }
    const role = Object.hasOwn(PLAIN, tag) ? PLAIN[tag] : undefined;
    if (role) {
      return { role, name: '' };
    }
  }
  return null;
}

const ROLE_MAGIC = /^\s*%%(?:(setup|skip)\b|step[ \t]+([^\s#]+))/;

/** What a magic in the first line of a source says; `null` for nothing. */
export function readMagic(source: string): ITagged | null {
  const found = ROLE_MAGIC.exec(source);
  if (!found) {
    return null;
  }
  return found[2] !== undefined
    ? { role: 'step', name: found[2] }
    : { role: found[1] as Role, name: '' };
}

/** Has the author said anything to us in this notebook? */
export function isTagged(model: INotebookModel): boolean {
  for (const cell of model.cells) {
    if (
      cell.type === 'code' &&
      (readRole(readTags(cell)) !== null ||
        readMagic(cell.sharedModel.getSource()) !== null)
    ) {
      return true;
    }
  }
  return false;
}

/** The names of the steps that are tagged in a notebook, in its order. */
export function taggedSteps(model: INotebookModel): string[] {
  const names = new Set<string>();
  for (const cell of model.cells) {
    const tagged = cell.type === 'code' ? readRole(readTags(cell)) : null;
    if (tagged?.role === 'step') {
      names.add(tagged.name);
    }
  }
  return [...names];
}

/** The tags with their role replaced; tags that are not ours stay, in their order. */
export function withRole(
  tags: readonly string[],
  next: ITagged | null
): string[] {
  const kept = tags.filter(
    tag =>
      !STEP.test(tag) &&
      !Object.hasOwn(PLAIN, tag) &&
      (next?.role === 'step' || !OF_A_STEP.test(tag))
  );
  if (!next) {
    return kept;
  }
  return [...kept, next.role === 'step' ? `step:${next.name}` : next.role];
}

/** On transactions of ours. */
const OURS = Symbol('jupyter-pipelines');

/**
 * Have what we change of the notebook's own metadata undone as well, which is else left out of its history. What others
 * change there stays out: nobody undoes the choice of a kernel.
 */
function followMetadata({ undoManager, ymeta }: YNotebook): void {
  if (undoManager.scope.includes(ymeta)) {
    return;
  }
  const followed = [...undoManager.scope];
  const { captureTransaction } = undoManager;
  undoManager.addToScope(ymeta);
  undoManager.captureTransaction = transaction => {
    const touched: ReadonlyMap<unknown, unknown> =
      transaction.changedParentTypes;
    return (
      captureTransaction(transaction) &&
      (transaction.origin === undoManager ||
        transaction.meta.has(OURS) ||
        followed.some(type => touched.has(type)))
    );
  };
}

/**
 * Change a notebook, as one step of its undo history.
 *
 * Every write of ours goes through here: metadata set outside a transaction of the shared model cannot be undone.
 */
export function change(notebook: INotebookModel, work: () => void): void {
  const { sharedModel } = notebook;
  if (!(sharedModel instanceof YNotebook)) {
    sharedModel.transact(work);
    return;
  }
  const { undoManager, ydoc } = sharedModel;
  followMetadata(sharedModel);
  // Changes within half a second are one to Yjs; to the author they are two.
  undoManager.stopCapturing();
  ydoc.transact(transaction => {
    transaction.meta.set(OURS, true);
    work();
  }, sharedModel);
  undoManager.stopCapturing();
}

/** Set a cell's tags; none leave no empty list behind. To be called within {@link change}. */
export function setTags(cell: ICellModel, tags: string[]): void {
  if (tags.length > 0) {
    cell.setMetadata('tags', tags);
  } else {
    cell.deleteMetadata('tags');
  }
}

/** Give cells a role. */
export function writeRole(
  notebook: INotebookModel,
  cells: readonly ICellModel[],
  next: ITagged | null
): void {
  change(notebook, () => {
    for (const cell of cells) {
      setTags(cell, withRole(readTags(cell), next));
    }
  });
}

/** Call a step something else, wherever tags and options name it. */
export function renameStep(
  notebook: INotebookModel,
  from: string,
  to: string
): void {
  const renamed = (tag: string): string => {
    const [word = '', name] = tag.split(':', 2);
    return name === from && /^(?:step|block|after|prev)$/.test(word)
      ? `${word}:${to}`
      : tag;
  };
  change(notebook, () => {
    for (const cell of notebook.cells) {
      const tags = readTags(cell);
      if (tags.some(tag => renamed(tag) !== tag)) {
        setTags(cell, tags.map(renamed));
      }
      const options: unknown = cell.getMetadata('pipeline');
      const after = (options as { after?: unknown } | null | undefined)?.after;
      if (Array.isArray(after) && after.includes(from)) {
        cell.setMetadata('pipeline', {
          ...(options as object),
          after: after.map((name: unknown) => (name === from ? to : name))
        });
      }
    }
  });
}
