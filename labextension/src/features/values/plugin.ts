import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICompiler, ILiveValues, IRecords } from '../../tokens';
import { LiveValues } from './model';

/** Provides what the open notebook's kernel holds of the values that cross edges. */
export const valuesPlugin: JupyterFrontEndPlugin<ILiveValues> = {
  id: 'jupyter-pipelines:values',
  description: 'Looks at the values of a live kernel that steps hand on.',
  autoStart: true,
  requires: [ICompiler, IRecords],
  provides: ILiveValues,
  activate: (_: JupyterFrontEnd, compiler: ICompiler, records: IRecords) =>
    new LiveValues(compiler, names => records.api.inspection(names))
};
