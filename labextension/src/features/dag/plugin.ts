import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, type MainAreaWidget } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { CommandIDs, ICompiler, IRecords } from '../../tokens';
import { pageOf, showPage } from '../../ui/page';

/** The graph as a tab of its own, for pipelines that outgrow the panel. */
export const dagPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-pipelines:dag',
  description: 'Shows the graph of steps in the main area.',
  autoStart: true,
  requires: [ICompiler, IRecords],
  optional: [ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    compiler: ICompiler,
    records: IRecords,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('jupyter_pipelines');
    let widget: MainAreaWidget | null = null;
    const onPick = (name: string): void => {
      const step = compiler.current.pipeline?.steps.find(
        candidate => candidate.name === name
      );
      void app.commands.execute(CommandIDs.goToCell, {
        cell: step?.cells[0] ?? 0
      });
    };
    app.commands.addCommand(CommandIDs.openGraph, {
      label: trans.__('Open Pipeline Graph'),
      caption: trans.__('Show the graph of steps in a tab of its own'),
      describedBy: { args: { type: 'object', properties: {} } },
      execute: async () => {
        const { GraphWidget } = await import('./view');
        if (!widget || widget.isDisposed) {
          widget = pageOf(
            new GraphWidget({ compiler, records, onPick, trans }),
            'jupyter-pipelines-graph',
            trans.__('Pipeline Graph')
          );
        }
        showPage(app.shell, widget, { mode: 'split-right' });
      }
    });
    palette?.addItem({
      command: CommandIDs.openGraph,
      category: trans.__('Pipeline')
    });
  }
};
