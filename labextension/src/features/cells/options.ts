/** The options of a step, as its cells' metadata and tags state them. Pure but for the one function that writes. */
import type { ICellModel } from '@jupyterlab/cells';
import type { INotebookModel } from '@jupyterlab/notebook';
import { change, readTags, setTags } from './model';

/** What can be filled in; texts as they are written, empty for "not stated". */
export interface IStepOptions {
  retries: string;
  retry_delay: string;
  timeout: string;
  /** `null` for what the pipeline does otherwise. */
  cache: boolean | null;
  /** Named resources that it needs a slot of, as they are typed: `database, gpu`. */
  resources: string;
  after: readonly string[];
}

type Stated = Record<string, unknown>;

const AFTER = /^(?:after|prev):(.+)$/;

function statedAt(cell: ICellModel): Stated {
  const given: unknown = cell.getMetadata('pipeline');
  return typeof given === 'object' && given !== null && !Array.isArray(given)
    ? (given as Stated)
    : {};
}

function text(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number'
    ? String(value)
    : '';
}

/** A list of names as metadata has it, or a single one. */
function namesIn(given: unknown): string[] {
  return (Array.isArray(given) ? (given as unknown[]) : [given]).filter(
    (name): name is string => typeof name === 'string'
  );
}

function afterAt(cell: ICellModel): string[] {
  const names = namesIn(statedAt(cell).after);
  for (const tag of readTags(cell)) {
    const found = AFTER.exec(tag)?.[1];
    names.push(...(found?.split(';') ?? []));
  }
  return names;
}

/** What the cells of a step state together; the first one that states something counts. */
export function readOptions(cells: readonly ICellModel[]): IStepOptions {
  const stated = cells.map(statedAt);
  const first = (key: string): unknown =>
    stated.find(options => options[key] !== undefined)?.[key];
  const cache = first('cache');
  return {
    retries: text(first('retries')),
    retry_delay: text(first('retry_delay')),
    timeout: text(first('timeout')),
    cache: typeof cache === 'boolean' ? cache : null,
    resources: namesIn(first('resources')).join(', '),
    after: [...new Set(cells.flatMap(afterAt))]
  };
}

const DURATION =
  /^(?:\d+(?:\.\d+)?d)?(?:\d+(?:\.\d+)?h)?(?:\d+(?:\.\d+)?m)?(?:\d+(?:\.\d+)?s?)?$/;

/** Is this how a duration is written: `90`, `10s`, `5m`, `1h30m`? */
export function isDuration(given: string): boolean {
  const plain = given.replace(/\s/g, '').toLowerCase();
  return plain !== '' && DURATION.test(plain);
}

export type Field = 'retries' | 'retry_delay' | 'timeout' | 'resources';

/** The names in a text, parted by commas or blanks. */
function namesOf(given: string): string[] {
  return [...new Set(given.split(/[\s,;]+/).filter(name => name !== ''))];
}

/** The fields that cannot be what is written in them. */
export function wrongFields(options: IStepOptions): Set<Field> {
  const wrong = new Set<Field>();
  const { retries, retry_delay: delay, timeout } = options;
  if (retries && !(/^\d{1,4}$/.test(retries) && Number(retries) <= 1000)) {
    wrong.add('retries');
  }
  if (delay && !isDuration(delay)) {
    wrong.add('retry_delay');
  }
  if (timeout && !(isDuration(timeout) && /[1-9]/.test(timeout))) {
    wrong.add('timeout');
  }
  if (!namesOf(options.resources).every(name => /^[\w-]{1,80}$/.test(name))) {
    wrong.add('resources');
  }
  return wrong;
}

/** A text as it is kept: plain numbers as numbers. */
function kept(given: string): string | number {
  return /^\d+(?:\.\d+)?$/.test(given) ? Number(given) : given;
}

/** The values to state: `undefined` for those that are not to be. */
function values(options: IStepOptions): Stated {
  const resources = namesOf(options.resources);
  return {
    retries: options.retries ? Number(options.retries) : undefined,
    retry_delay: options.retry_delay ? kept(options.retry_delay) : undefined,
    timeout: options.timeout ? kept(options.timeout) : undefined,
    cache: options.cache ?? undefined,
    resources: resources.length > 0 ? resources : undefined
  };
}

function setStated(cell: ICellModel, options: Stated): void {
  const entries = Object.entries(options).filter(
    ([, value]) => value !== undefined
  );
  if (entries.length > 0) {
    cell.setMetadata('pipeline', Object.fromEntries(entries));
  } else if (cell.getMetadata('pipeline') !== undefined) {
    cell.deleteMetadata('pipeline');
  }
}

/** State a step's options at the first of its cells; what differs from it at the others is removed. */
export function writeOptions(
  notebook: INotebookModel,
  cells: readonly ICellModel[],
  next: IStepOptions
): void {
  const before = readOptions(cells);
  const was = values(before);
  const now = values(next);
  const changed = Object.keys(now).filter(
    key => JSON.stringify(now[key]) !== JSON.stringify(was[key])
  );
  const reordered =
    [...next.after].sort().join() !== [...before.after].sort().join();
  if (changed.length === 0 && !reordered) {
    return;
  }
  change(notebook, () => {
    cells.forEach((cell, index) => {
      const options = { ...statedAt(cell) };
      for (const key of changed) {
        options[key] = index === 0 ? now[key] : undefined;
      }
      if (reordered) {
        delete options.after;
        const tags = readTags(cell).filter(tag => !AFTER.test(tag));
        const after = index === 0 ? next.after : [];
        setTags(cell, [...tags, ...after.map(name => `after:${name}`)]);
      }
      setStated(cell, options);
    });
  });
}
