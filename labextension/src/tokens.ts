/** What the features offer each other, and other extensions. */
import type { NotebookPanel } from '@jupyterlab/notebook';
import { Token } from '@lumino/coreutils';
import type { ISignal } from '@lumino/signaling';
import type { IPipeline } from './api';

/** What is known about the open notebook. */
export interface ICompilation {
  /** The notebook that has or had the focus last; `null` when none is open. */
  readonly notebook: NotebookPanel | null;
  /** The last good answer for this notebook; it stays while a newer one is on its way. */
  readonly pipeline: IPipeline | null;
  /** Why the last request failed; empty when it did not. */
  readonly error: string;
  /** True from an edit until its answer. */
  readonly pending: boolean;
  /** 1-based position of the active cell among all cells, 0 without one. */
  readonly activeCell: number;
}

/** Keeps the pipeline of the open notebook compiled while its author edits. */
export interface ICompiler {
  readonly current: ICompilation;
  readonly changed: ISignal<ICompiler, ICompilation>;
  /** Compile now, without waiting for a pause in editing. */
  refresh(): Promise<void>;
}

export const ICompiler = new Token<ICompiler>(
  'jupyter-pipelines:ICompiler',
  'Keeps the pipeline of the open notebook compiled while its author edits.'
);

export namespace CommandIDs {
  export const tagStep = 'jupyter-pipelines:tag-step';
  export const tagSetup = 'jupyter-pipelines:tag-setup';
  export const tagParameters = 'jupyter-pipelines:tag-parameters';
  export const tagSkip = 'jupyter-pipelines:tag-skip';
  export const untag = 'jupyter-pipelines:untag';
  export const goToCell = 'jupyter-pipelines:go-to-cell';
  export const showPanel = 'jupyter-pipelines:show-panel';
  export const openGraph = 'jupyter-pipelines:open-graph';
}
