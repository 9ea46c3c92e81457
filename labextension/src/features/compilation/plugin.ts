import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ICompiler, IRecords } from '../../tokens';
import { Compiler } from './model';

/** Provides the compiler that the other features listen to. */
export const compilationPlugin: JupyterFrontEndPlugin<ICompiler> = {
  id: 'jupyter-pipelines:compilation',
  description: 'Keeps the pipeline of the open notebook compiled.',
  autoStart: true,
  requires: [INotebookTracker, IRecords],
  provides: ICompiler,
  activate: (
    _: JupyterFrontEnd,
    tracker: INotebookTracker,
    records: IRecords
  ) =>
    new Compiler({
      tracker,
      compile: (name, notebook, signal) =>
        records.api.compile(name, notebook, signal)
    })
};
