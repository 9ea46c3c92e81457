/** What specs share: notebooks of the real model, and pipelines as the server gives them. */
import { NotebookModel } from '@jupyterlab/notebook';
import type { IEdge, IPipeline, IStep } from './api';

/** A notebook model with code cells, each its tags and its source. */
export function notebookModel(
  ...cells: { tags?: string[]; source?: string; type?: string }[]
): NotebookModel {
  const model = new NotebookModel();
  model.sharedModel.insertCells(
    0,
    cells.map(({ tags, source = '', type = 'code' }) => ({
      cell_type: type,
      source,
      metadata: tags ? { tags } : {},
      ...(type === 'code' ? { outputs: [], execution_count: null } : {})
    }))
  );
  return model;
}

export function edge(source: string, target: string, change = {}): IEdge {
  return {
    source,
    target,
    kind: 'value',
    name: 'x',
    certain: true,
    explanation: `${target} needs x from ${source}`,
    ...change
  };
}

export function step(name: string, cells: number[], change = {}): IStep {
  return { name, cells, inputs: [], outputs: [], ...change };
}

export function pipeline(change: Partial<IPipeline> = {}): IPipeline {
  return { steps: [], edges: [], diagnostics: [], parameters: [], ...change };
}
