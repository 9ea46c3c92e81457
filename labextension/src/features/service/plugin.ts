import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, Notification } from '@jupyterlab/apputils';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { asApiError } from '../../api';
import { CommandIDs, IRecords } from '../../tokens';

/** Shows in the status bar whether the service is alive, and starts it. */
export const servicePlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-pipelines:service',
  description: 'Shows whether the service that runs pipelines is alive.',
  autoStart: true,
  requires: [IRecords],
  optional: [IStatusBar, ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    records: IRecords,
    statusBar: IStatusBar | null,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('jupyter_pipelines');
    app.commands.addCommand(CommandIDs.startService, {
      label: trans.__('Start the Service of Pipelines'),
      caption: trans.__(
        'It runs pipelines, and starts those that are scheduled'
      ),
      describedBy: { args: { type: 'object', properties: {} } },
      execute: async () => {
        try {
          records.service.set(await records.api.startService());
        } catch (error) {
          const { message, fix } = asApiError(error);
          Notification.error(`${message} ${fix}`.trim());
        }
      }
    });
    palette?.addItem({
      command: CommandIDs.startService,
      category: trans.__('Pipeline')
    });
    if (statusBar) {
      void app.restored
        .then(() => import('./status'))
        .then(({ ServiceStatus }) => {
          statusBar.registerStatusItem('jupyter-pipelines:service', {
            item: new ServiceStatus(records, trans),
            align: 'left',
            rank: 10
          });
        });
    }
  }
};
