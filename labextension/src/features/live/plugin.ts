import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { Api } from '../../api';
import { IRecords } from '../../tokens';
import { EventStream } from './events';
import { Records } from './records';

/** Provides what the server has on record. Nothing is asked for before somebody looks. */
export const livePlugin: JupyterFrontEndPlugin<IRecords> = {
  id: 'jupyter-pipelines:live',
  description: 'Keeps runs, schedules and the service as the server has them.',
  autoStart: true,
  provides: IRecords,
  activate: (app: JupyterFrontEnd) => {
    const { serverSettings } = app.serviceManager;
    return new Records(
      new Api(serverSettings),
      new EventStream(serverSettings)
    );
  }
};
