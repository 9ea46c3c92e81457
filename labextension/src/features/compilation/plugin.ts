import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { INotebookTracker } from '@jupyterlab/notebook';
import { compile } from '../../api';
import { ICompiler } from '../../tokens';
import { Compiler } from './model';

/** Provides the compiler that the other features listen to. */
export const compilationPlugin: JupyterFrontEndPlugin<ICompiler> = {
  id: 'jupyter-pipelines:compilation',
  description: 'Keeps the pipeline of the open notebook compiled.',
  autoStart: true,
  requires: [INotebookTracker],
  provides: ICompiler,
  activate: (app: JupyterFrontEnd, tracker: INotebookTracker) => {
    const { serverSettings } = app.serviceManager;
    return new Compiler({
      tracker,
      compile: (name, notebook, signal) =>
        compile(serverSettings, name, notebook, signal)
    });
  }
};
