/** The pipeline's words in a cell's tags: reading them, and writing them so that they can be undone. */
import { YNotebook } from '@jupyter/ydoc';
import type { ICellModel } from '@jupyterlab/cells';
import type { INotebookModel } from '@jupyterlab/notebook';

export type Role = 'parameters' | 'setup' | 'step' | 'skip';

/** What a cell's own tags say it is; `name` is the step's. */
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

const ROLE_MAGIC = /^\s*%%(?:step|setup|skip)\b/;

/** Has the author said anything to us in this notebook? */
export function isTagged(model: INotebookModel): boolean {
  for (const cell of model.cells) {
    if (
      cell.type === 'code' &&
      (readRole(readTags(cell)) !== null ||
        ROLE_MAGIC.test(cell.sharedModel.getSource()))
    ) {
      return true;
    }
  }
  return false;
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

/**
 * Give cells a role, as one step of the notebook's undo history.
 *
 * Every write of ours goes through here: metadata set outside a transaction of the shared model cannot be undone.
 */
export function writeRole(
  notebook: INotebookModel,
  cells: readonly ICellModel[],
  next: ITagged | null
): void {
  const { sharedModel } = notebook;
  // Changes within half a second are one to Yjs; to the author they are two.
  const history =
    sharedModel instanceof YNotebook ? sharedModel.undoManager : null;
  history?.stopCapturing();
  sharedModel.transact(() => {
    for (const cell of cells) {
      const tags = withRole(readTags(cell), next);
      if (tags.length > 0) {
        cell.setMetadata('tags', tags);
      } else {
        cell.deleteMetadata('tags');
      }
    }
  });
  history?.stopCapturing();
}

/** May a step be called this? The server has the last word; this is to tell while one types. */
export function isStepName(name: string): boolean {
  return /^[\p{L}_][\p{L}\p{M}\p{N}_-]*$/u.test(name);
}

/** A name to offer for a new step: the heading above the cell, else a number that is free. */
export function suggestStepName(
  heading: string,
  taken: ReadonlySet<string>
): string {
  const slug = heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .replace(/^[-\p{N}]+|-+$/gu, '')
    .split('-')
    .slice(0, 3)
    .join('-');
  if (isStepName(slug) && !taken.has(slug)) {
    return slug;
  }
  const base = isStepName(slug) ? slug : 'step';
  for (let number = base === 'step' ? 1 : 2; ; number++) {
    if (!taken.has(`${base}-${number}`)) {
      return `${base}-${number}`;
    }
  }
}

/** The text of the nearest heading at or above a position; empty when there is none. */
export function headingAbove(
  cells: Iterable<Pick<ICellModel, 'type' | 'sharedModel'>>,
  index: number
): string {
  let heading = '';
  let position = 0;
  for (const cell of cells) {
    if (position++ > index) {
      break;
    }
    if (cell.type === 'markdown') {
      const found = /^#{1,6}\s+(.+?)\s*#*\s*$/m.exec(
        cell.sharedModel.getSource()
      );
      heading = found?.[1] ?? heading;
    }
  }
  return heading;
}
