import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { IStateDB } from '@jupyterlab/statedb';
import { IParameterValues } from '../../tokens';
import { ParameterValues } from './values';

/** Provides what was filled in for the next run of each notebook. */
export const parametersPlugin: JupyterFrontEndPlugin<IParameterValues> = {
  id: 'jupyter-pipelines:parameters',
  description: 'Keeps the values that runs by hand are given.',
  autoStart: true,
  optional: [IStateDB],
  provides: IParameterValues,
  activate: (_: JupyterFrontEnd, state: IStateDB | null) =>
    new ParameterValues(state)
};
