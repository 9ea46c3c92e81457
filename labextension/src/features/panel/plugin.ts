import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { pipelineIcon } from '../../icons';
import { IScheduleDrafts, type ScheduleDrafts } from '../schedules/drafts';
import {
  CommandIDs,
  ICompiler,
  IDrifts,
  ILiveValues,
  IParameterValues,
  IRecords,
  IRunning,
  ISettings
} from '../../tokens';
import { PipelinePanel } from './widget';

/** JupyterLab's shell has sides that can be hidden, and so has that of Notebook 7. */
function hasSides(
  shell: JupyterFrontEnd.IShell
): shell is JupyterFrontEnd.IShell & { collapseRight(): void } {
  return 'collapseRight' in shell;
}

/** The panel in the right area. Menu entries are declared in `schema/panel.json`. */
export const panelPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-pipelines:panel',
  description: 'Shows the pipeline of the open notebook beside it.',
  autoStart: true,
  requires: [
    ICompiler,
    IRecords,
    IDrifts,
    IScheduleDrafts,
    IParameterValues,
    IRunning,
    ILiveValues,
    ISettings
  ],
  optional: [ICommandPalette, ILayoutRestorer, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    compiler: ICompiler,
    records: IRecords,
    drifts: IDrifts,
    drafts: ScheduleDrafts,
    values: IParameterValues,
    running: IRunning,
    liveValues: ILiveValues,
    settings: ISettings,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('jupyter_pipelines');
    const panel = new PipelinePanel({
      compiler,
      records,
      drifts,
      drafts,
      values,
      running,
      liveValues,
      settings,
      commands: app.commands,
      trans
    });
    panel.title.icon = pipelineIcon;
    panel.title.caption = trans.__('Pipeline');
    app.shell.add(panel, 'right', { rank: 450, type: 'Pipeline' });
    restorer?.add(panel, panel.id);
    app.commands.addCommand(CommandIDs.showPanel, {
      label: trans.__('Pipeline'),
      caption: trans.__('Show or hide the pipeline of this notebook'),
      icon: pipelineIcon,
      isToggleable: true,
      isToggled: () => panel.isVisible,
      describedBy: {
        args: {
          type: 'object',
          properties: {
            section: {
              type: 'string',
              description:
                'The section to open and to put the focus in; with it, the panel is never hidden'
            }
          }
        }
      },
      execute: async args => {
        const { section } = args;
        const { shell } = app;
        if (panel.isVisible && hasSides(shell) && typeof section !== 'string') {
          // Who has used the keyboard in it goes on where the notebook is.
          const focused = panel.node.contains(document.activeElement);
          shell.collapseRight();
          if (focused) {
            shell.currentWidget?.activate();
          }
        } else {
          shell.activateById(panel.id);
          await panel.reveal(typeof section === 'string' ? section : '');
        }
        app.commands.notifyCommandChanged(CommandIDs.showPanel);
      }
    });
    palette?.addItem({
      command: CommandIDs.showPanel,
      category: trans.__('Pipeline')
    });
  }
};
