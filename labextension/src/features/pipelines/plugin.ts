import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { type MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { pipelineIcon } from '../../icons';
import { CommandIDs, IRecords } from '../../tokens';
import { pageOf, showPage } from '../../ui/page';
import type { PipelinesWidget } from './view';

/** All pipelines, in the main area. */
export const pipelinesPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-pipelines:pipelines',
  description: 'Shows how all pipelines stand.',
  autoStart: true,
  requires: [IRecords],
  optional: [ILayoutRestorer, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    records: IRecords,
    restorer: ILayoutRestorer | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('jupyter_pipelines');
    const pages = new WidgetTracker<MainAreaWidget>({
      namespace: 'jupyter-pipelines-pipelines'
    });
    const newPage = (Content: typeof PipelinesWidget): MainAreaWidget => {
      const { commands } = app;
      const page = pageOf(
        new Content({ records, commands, trans }),
        'jupyter-pipelines-pipelines',
        trans.__('Pipelines')
      );
      void pages.add(page);
      return page;
    };
    app.commands.addCommand(CommandIDs.openPipelines, {
      label: trans.__('Pipelines'),
      caption: trans.__('Show how all pipelines stand'),
      icon: pipelineIcon,
      describedBy: { args: { type: 'object', properties: {} } },
      execute: async () => {
        const { PipelinesWidget } = await import('./view');
        showPage(app.shell, pages.currentWidget ?? newPage(PipelinesWidget));
      }
    });
    void restorer?.restore(pages, {
      command: CommandIDs.openPipelines,
      name: () => 'pipelines'
    });
  }
};
