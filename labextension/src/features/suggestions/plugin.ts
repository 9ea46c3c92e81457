import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, Notification } from '@jupyterlab/apputils';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Widget } from '@lumino/widgets';
import { asApiError } from '../../api';
import { CommandIDs, IRecords, ISuggestions } from '../../tokens';
import { withoutOutputs } from '../compilation/model';
import { Suggestions } from './model';

/** Shows a bar above a notebook's cells while something is suggested for it. */
class Bars {
  constructor(
    private readonly _suggestions: Suggestions,
    private readonly _trans: TranslationBundle
  ) {
    _suggestions.changed.connect((_, notebook) => {
      if (_suggestions.of(notebook).size === 0) {
        this._bars.get(notebook)?.dispose();
      }
    });
  }

  async show(
    notebook: NotebookPanel,
    reasons: readonly string[]
  ): Promise<void> {
    const { SuggestionBar } = await import('./bar');
    this._bars.get(notebook)?.dispose();
    const bar = new SuggestionBar({
      notebook,
      suggestions: this._suggestions,
      reasons,
      trans: this._trans,
      onClose: () => {
        bar.dispose();
      }
    });
    this._bars.set(notebook, bar);
    notebook.contentHeader.addWidget(bar);
  }

  private readonly _bars = new WeakMap<NotebookPanel, Widget>();
}

/** Steps for a notebook that names none. */
export const suggestionsPlugin: JupyterFrontEndPlugin<ISuggestions> = {
  id: 'jupyter-pipelines:suggestions',
  description: 'Suggests how a notebook could be made of steps.',
  autoStart: true,
  requires: [INotebookTracker, IRecords],
  optional: [ICommandPalette, ITranslator],
  provides: ISuggestions,
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker,
    records: IRecords,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('jupyter_pipelines');
    const suggestions = new Suggestions();
    const bars = new Bars(suggestions, trans);
    app.commands.addCommand(CommandIDs.suggestSteps, {
      label: trans.__('Suggest Steps'),
      caption: trans.__('Propose how this notebook could be made of steps'),
      isEnabled: () => Boolean(tracker.currentWidget?.model),
      describedBy: { args: { type: 'object', properties: {} } },
      execute: async () => {
        const notebook = tracker.currentWidget;
        if (!notebook?.model) {
          return;
        }
        const name = notebook.context.path.split('/').pop() ?? '';
        try {
          const content = withoutOutputs(notebook.model);
          const suggestion = await records.api.suggest(name, content);
          suggestions.set(notebook, suggestion);
          await bars.show(notebook, suggestion.reasons);
        } catch (error) {
          const { message, fix } = asApiError(error);
          Notification.error([message, fix].join(' '));
        }
      }
    });
    palette?.addItem({
      command: CommandIDs.suggestSteps,
      category: trans.__('Pipeline')
    });
    return suggestions;
  }
};
