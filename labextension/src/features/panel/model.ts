/** What the panel says, worked out of what the compiler knows. Pure. */
import type {
  IDiagnostic,
  IEdge,
  IInput,
  IPipeline,
  IPipelineSummary
} from '../../api';
import type { ICompilation } from '../../tokens';
import { isTagged } from '../cells/model';
import { debuggedBy } from '../compilation/model';

/** Which of its faces the panel shows. */
export type Face =
  'no-notebook' | 'loading' | 'error' | 'untagged' | 'steps' | 'debug';

export function faceOf(compilation: ICompilation): Face {
  const { notebook, pipeline, error } = compilation;
  if (!notebook) {
    return 'no-notebook';
  }
  if (notebook.model && debuggedBy(notebook.model)) {
    return 'debug';
  }
  if (!pipeline) {
    return error ? 'error' : 'loading';
  }
  return notebook.model && !isTagged(notebook.model) ? 'untagged' : 'steps';
}

/** What a notebook of which nothing is on record was called before it was moved, as far as names tell. */
export function movedFrom(
  summary: IPipelineSummary | null,
  pipelines: readonly IPipelineSummary[]
): IPipelineSummary | undefined {
  const nameOf = (path: string): string => path.split('/').pop() ?? '';
  if (!summary || !isBlank(summary)) {
    return undefined;
  }
  const name = nameOf(summary.notebook);
  return pipelines.find(
    ({ missing, notebook }) => missing && nameOf(notebook) === name
  );
}

function isBlank(known: IPipelineSummary): boolean {
  const { version, last_runs, schedules, triggers } = known;
  return !version && last_runs.length + schedules + triggers === 0;
}

/** Positions as people write them: `3`, `3–5`, `3, 7–8`. */
export function ranges(positions: readonly number[]): string {
  const parts: string[] = [];
  let first = 0;
  positions.forEach((position, index) => {
    if (index === 0 || positions[index - 1] !== position - 1) {
      first = position;
    }
    if (positions[index + 1] !== position + 1) {
      parts.push(first === position ? `${first}` : `${first}–${position}`);
    }
  });
  return parts.join(', ');
}

/** Inputs by the step that wrote them, in the order of first mention. */
export function byProducer(inputs: readonly IInput[]): [string, string[]][] {
  const groups = new Map<string, string[]>();
  for (const { name, producer } of inputs) {
    groups.set(producer, [...(groups.get(producer) ?? []), name]);
  }
  return [...groups];
}

/** The step that a cell belongs to; empty when it belongs to none. */
export function stepOfCell(pipeline: IPipeline, position: number): string {
  return pipeline.steps.find(step => step.cells.includes(position))?.name ?? '';
}

/** Errors first, then warnings, then the rest; in the notebook's order within each. */
export function sortedDiagnostics(
  diagnostics: readonly IDiagnostic[]
): IDiagnostic[] {
  const order = { error: 0, warning: 1, info: 2 };
  return [...diagnostics].sort(
    (a, b) =>
      order[a.severity] - order[b.severity] ||
      (a.location?.cell ?? 0) - (b.location?.cell ?? 0) ||
      (a.location?.line ?? 0) - (b.location?.line ?? 0)
  );
}

/** How many errors and warnings there are. */
export function countProblems(diagnostics: readonly IDiagnostic[]): {
  errors: number;
  warnings: number;
} {
  const count = (severity: string): number =>
    diagnostics.filter(diagnostic => diagnostic.severity === severity).length;
  return { errors: count('error'), warnings: count('warning') };
}

/** What a step waits for besides values. */
export interface IWaits {
  /** The tables it reads, by the step of the notebook that builds them; of others the step is empty. */
  tables: [string, string[]][];
  /** Why it comes after steps it takes no value or table from: order, files, checks, hidden state. */
  reasons: string[];
}

/** For each step, in their order. */
export function waitsOf({
  steps,
  edges
}: Pick<IPipeline, 'steps' | 'edges'>): IWaits[] {
  const known = new Map(steps.map(step => [step.name, step]));
  const to = new Map<string, IEdge[]>();
  for (const edge of edges) {
    if (edge.kind !== 'value') {
      to.set(edge.target, [...(to.get(edge.target) ?? []), edge]);
    }
  }
  const isTableRead = ({ kind, name, source, target }: IEdge): boolean =>
    kind === 'table' &&
    known.get(source)?.tables_written?.includes(name) === true &&
    known.get(target)?.tables_read?.includes(name) === true;
  return steps.map(step => {
    const own = to.get(step.name) ?? [];
    const reads = own.filter(isTableRead);
    const built = new Map(reads.map(({ name, source }) => [name, source]));
    const tables = (step.tables_read ?? []).map(name => ({
      name,
      producer: built.get(name) ?? ''
    }));
    return {
      tables: byProducer(tables),
      reasons: own
        .filter(edge => !reads.includes(edge))
        .map(({ explanation }) => explanation)
    };
  });
}
