import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import {
  CommandIDs,
  ICompiler,
  IDrifts,
  ILiveValues,
  IRecords,
  ISettings,
  ISuggestions
} from '../../tokens';
import { addCommands } from './commands';
import { NotebookPills } from './notebook';

/** Tagging cells, and pills that show what they are. */
export const cellsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-pipelines:cells',
  description: 'Tags cells as parts of a pipeline, and shows it.',
  autoStart: true,
  requires: [
    INotebookTracker,
    ICompiler,
    IRecords,
    IDrifts,
    ISuggestions,
    ILiveValues,
    ISettings
  ],
  optional: [ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker,
    compiler: ICompiler,
    records: IRecords,
    drifts: IDrifts,
    suggestions: ISuggestions,
    values: ILiveValues,
    settings: ISettings,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('jupyter_pipelines');
    const showPills = (): void => {
      document.body.toggleAttribute(
        'data-jp-pipelines-plain',
        !settings.value.pills
      );
    };
    settings.changed.connect(showPills);
    showPills();
    const pills = new WeakMap<NotebookPanel, NotebookPills>();
    addCommands(app, tracker, panel => pills.get(panel), trans);
    app.docRegistry.addWidgetExtension('Notebook', {
      createNew: (panel: NotebookPanel) => {
        const created = new NotebookPills(panel, {
          compiler,
          records,
          drifts,
          suggestions,
          values,
          trans
        });
        pills.set(panel, created);
        return created;
      }
    });
    for (const command of [
      CommandIDs.tagStep,
      CommandIDs.tagSetup,
      CommandIDs.tagParameters,
      CommandIDs.tagSkip,
      CommandIDs.untag,
      CommandIDs.stepOptions
    ]) {
      palette?.addItem({ command, category: trans.__('Pipeline') });
    }
  }
};
