/** Names of steps: which may be one, and which to offer. The rules are those of the reader of notebooks. */
import type { ICellModel } from '@jupyterlab/cells';

const NAME = /^[A-Za-z_][A-Za-z0-9_-]{0,99}$/;
const RESERVED: ReadonlySet<string> = new Set([
  'setup',
  'parameters',
  'skip',
  'notebook'
]);

/** Does the name mean something else already? */
export function isReserved(name: string): boolean {
  return RESERVED.has(name.toLowerCase());
}

/** May a step be called this? */
export function isStepName(name: string): boolean {
  return NAME.test(name) && !isReserved(name);
}

/** The name that is nearest to a text; empty when there is none. What is a name already stays as it is. */
export function asStepName(text: string): string {
  const plain = text.trim();
  if (NAME.test(plain)) {
    return plain;
  }
  return plain
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{M}/gu, '')
    .replace(/[^a-z0-9_]+/g, '-')
    .replace(/^[-0-9]+|-+$/g, '')
    .slice(0, 60);
}

/** A name that is free: from the first words of a heading, with a number where it is taken. */
export function suggestStepName(
  heading: string,
  taken: ReadonlySet<string>
): string {
  const slug = asStepName(`${heading.toLowerCase()} `.replace(/_/g, ' '))
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
