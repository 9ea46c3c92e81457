import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { warehouseIcon } from '../../icons';
import { CommandIDs, IRecords } from '../../tokens';
import { WarehousePanel } from './widget';

/** The tables of the warehouse, in the left area. */
export const warehousePlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-pipelines:warehouse',
  description: 'Shows the tables of the warehouse.',
  autoStart: true,
  requires: [IRecords, INotebookTracker],
  optional: [ICommandPalette, ILayoutRestorer, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    records: IRecords,
    tracker: INotebookTracker,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('jupyter_pipelines');
    const { commands, shell } = app;
    const panel = new WarehousePanel({ records, commands, trans });
    panel.title.icon = warehouseIcon;
    panel.title.caption = trans.__('Warehouse');
    shell.add(panel, 'left', { rank: 350, type: 'Pipeline' });
    restorer?.add(panel, panel.id);
    commands.addCommand(CommandIDs.showWarehouse, {
      label: trans.__('Warehouse'),
      caption: trans.__('Show the tables of the warehouse'),
      icon: warehouseIcon,
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => {
        shell.activateById(panel.id);
      }
    });
    commands.addCommand(CommandIDs.insertName, {
      label: trans.__('Insert a Name into the Cell'),
      describedBy: {
        args: {
          type: 'object',
          properties: {
            name: { type: 'string', description: 'What is inserted' }
          },
          required: ['name']
        }
      },
      isEnabled: () => Boolean(tracker.activeCell?.editor),
      execute: ({ name }) => {
        const cell = tracker.activeCell;
        const notebook = tracker.currentWidget?.content;
        if (
          typeof name === 'string' &&
          cell?.editor?.replaceSelection &&
          notebook
        ) {
          cell.editor.replaceSelection(name);
          notebook.mode = 'edit';
        }
      }
    });
    tracker.activeCellChanged.connect(() => {
      commands.notifyCommandChanged(CommandIDs.insertName);
    });
    palette?.addItem({
      command: CommandIDs.showWarehouse,
      category: trans.__('Pipeline')
    });
  }
};
