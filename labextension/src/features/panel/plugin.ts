import {
  ILabShell,
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { pipelineIcon } from '../../icons';
import { CommandIDs, ICompiler, IDrifts, IRecords } from '../../tokens';
import { IScheduleDrafts, type ScheduleDrafts } from '../schedules/drafts';
import { PipelinePanel } from './widget';

/** The panel in the right area. The toolbar button and the menu entries are declared in `schema/panel.json`. */
export const panelPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-pipelines:panel',
  description: 'Shows the pipeline of the open notebook beside it.',
  autoStart: true,
  requires: [ICompiler, IRecords, IDrifts, IScheduleDrafts],
  optional: [ICommandPalette, ILabShell, ILayoutRestorer, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    compiler: ICompiler,
    records: IRecords,
    drifts: IDrifts,
    drafts: ScheduleDrafts,
    palette: ICommandPalette | null,
    labShell: ILabShell | null,
    restorer: ILayoutRestorer | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('jupyter_pipelines');
    const panel = new PipelinePanel({
      compiler,
      records,
      drifts,
      drafts,
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
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => {
        if (panel.isVisible && labShell) {
          labShell.collapseRight();
        } else {
          app.shell.activateById(panel.id);
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
