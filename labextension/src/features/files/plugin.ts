import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { ILauncher } from '@jupyterlab/launcher';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { pipelineIcon, scheduleIcon } from '../../icons';
import { CommandIDs, IRecords } from '../../tokens';
import { addRelink } from './relink';

/** The notebook that is chosen in the file browser; empty when it is none, or not one alone. */
function chosenNotebook(browser: IDefaultFileBrowser | null): string {
  const items = [...(browser?.selectedItems() ?? [])];
  const [only] = items;
  return items.length === 1 && only?.type === 'notebook'
    ? only.path.replace(/^[^/:]+:/, '')
    : '';
}

/** Pipelines in the file browser and in the launcher. The context menu is declared in `schema/files.json`. */
export const filesPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-pipelines:files',
  description: 'Marks scheduled notebooks in the file browser.',
  autoStart: true,
  requires: [IRecords],
  optional: [IDefaultFileBrowser, ILauncher, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    records: IRecords,
    browser: IDefaultFileBrowser | null,
    launcher: ILauncher | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('jupyter_pipelines');
    const { commands } = app;
    addRelink(app, records, trans);
    const about = [
      {
        id: CommandIDs.runFile,
        command: CommandIDs.run,
        icon: pipelineIcon.bindprops({ stylesheet: 'menuItem' }),
        label: trans.__('Run as a Pipeline')
      },
      {
        id: CommandIDs.scheduleFile,
        command: CommandIDs.schedule,
        icon: scheduleIcon.bindprops({ stylesheet: 'menuItem' }),
        label: trans.__('Schedule…')
      }
    ];
    for (const { id, command, icon, label } of about) {
      commands.addCommand(id, {
        label,
        icon,
        isVisible: () => chosenNotebook(browser) !== '',
        isEnabled: () => commands.hasCommand(command),
        describedBy: { args: { type: 'object', properties: {} } },
        execute: () =>
          commands.execute(command, { path: chosenNotebook(browser) })
      });
    }
    // What other features offer is there once all plugins are.
    void app.started.then(() => {
      if (commands.hasCommand(CommandIDs.openPipelines)) {
        launcher?.add({
          command: CommandIDs.openPipelines,
          category: trans.__('Other'),
          rank: 5
        });
      }
    });
    if (browser) {
      void app.restored
        .then(() => import('./marks'))
        .then(({ markScheduled }) => {
          markScheduled(browser, records, trans);
        });
    }
  }
};
