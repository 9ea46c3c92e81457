/** All pipelines as a table: filtered, sorted, and of a long one only the rows that are seen. Pure. */
import type { IPipelineSummary, PipelineState } from '../../api';

export type SortKey = 'name' | 'state' | 'last' | 'next' | 'owner' | 'version';

export interface ISort {
  readonly key: SortKey;
  readonly descending: boolean;
}

/** What needs somebody comes first. */
export const STATES: readonly PipelineState[] = [
  'failing',
  'late',
  'will-fail',
  'offline',
  'running',
  'active',
  'paused',
  'draft'
];

/** When a pipeline has last run, in seconds since the epoch; 0 for never. */
export function lastRun({ last_runs }: IPipelineSummary): number {
  const last = last_runs[0];
  return last ? last.started || last.ended : 0;
}

function valueOf(pipeline: IPipelineSummary, key: SortKey): string | number {
  switch (key) {
    case 'name':
      return pipeline.notebook;
    case 'state':
      return STATES.indexOf(pipeline.state);
    case 'last':
      // The newest is what one looks for first; never comes last.
      return -lastRun(pipeline);
    case 'next':
      return pipeline.next === null
        ? Infinity
        : new Date(pipeline.next).getTime();
    case 'owner':
      return pipeline.owner;
    case 'version':
      return pipeline.version?.label ?? '';
  }
}

const COLLATOR = new Intl.Collator(undefined, {
  numeric: true,
  sensitivity: 'base'
});

/** Those that fit, in order; equals by their names. */
export function chosen(
  pipelines: readonly IPipelineSummary[],
  { text, state }: { text: string; state: PipelineState | '' },
  { key, descending }: ISort
): IPipelineSummary[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const compare = (a: string | number, b: string | number): number =>
    typeof a === 'number' && typeof b === 'number'
      ? a === b
        ? 0
        : a - b
      : COLLATOR.compare(String(a), String(b));
  return pipelines
    .filter(pipeline => {
      const all =
        `${pipeline.notebook} ${pipeline.name} ${pipeline.owner}`.toLowerCase();
      return (
        (state === '' || pipeline.state === state) &&
        words.every(word => all.includes(word))
      );
    })
    .map(pipeline => ({ pipeline, value: valueOf(pipeline, key) }))
    .sort(
      (a, b) =>
        (descending ? -1 : 1) * compare(a.value, b.value) ||
        COLLATOR.compare(a.pipeline.notebook, b.pipeline.notebook)
    )
    .map(({ pipeline }) => pipeline);
}

/** How many pipelines are in each state that there is. */
export function counts(
  pipelines: readonly IPipelineSummary[]
): [PipelineState, number][] {
  return STATES.map((state): [PipelineState, number] => [
    state,
    pipelines.filter(pipeline => pipeline.state === state).length
  ]).filter(([, count]) => count > 0);
}

/** Which rows are drawn: those seen, and some more so that scrolling never shows a gap. */
export function rowsSeen(
  { top, height }: { top: number; height: number },
  row: number,
  count: number,
  more = 10
): { first: number; end: number } {
  const first = Math.max(0, Math.min(Math.floor(top / row), count) - more);
  const end = Math.min(count, Math.ceil((top + height) / row) + more);
  return { first, end: Math.max(first, end) };
}
