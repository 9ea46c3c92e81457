import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import {
  ICommandPalette,
  type MainAreaWidget,
  WidgetTracker
} from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IStateDB } from '@jupyterlab/statedb';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import type { JSONObject } from '@lumino/coreutils';
import type { IParameter } from '../../api';
import { CommandIDs, IRecords } from '../../tokens';
import { pageOf, showPage } from '../../ui/page';
import { withoutSecrets } from '../parameters/model';
import { type IDraft, newDraft } from './model';
import type { BackfillWidget, IDrafts } from './page';

/** Drafts in the browser's state: closing the tab, or the browser, loses nothing. */
export function draftsIn(state: IStateDB | null): IDrafts {
  const known = new Map<string, IDraft>();
  const idOf = (notebook: string): string =>
    `jupyter-pipelines:backfill-draft:${notebook}`;
  return {
    load: async notebook => {
      const kept =
        known.get(notebook) ??
        ((await state?.fetch(idOf(notebook))) as Partial<IDraft> | undefined);
      // What a later release has added has its preset.
      return kept ? { ...newDraft(), ...kept } : null;
    },
    save: (notebook, draft) => {
      if (draft) {
        known.set(notebook, draft);
        void state?.save(idOf(notebook), { ...withoutSecrets(draft) });
      } else {
        known.delete(notebook);
        void state?.remove(idOf(notebook));
      }
    }
  };
}

/** Asking for backfills, and following them, in the main area. */
export const backfillsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-pipelines:backfills',
  description: 'Runs a pipeline over the data windows of a range.',
  autoStart: true,
  requires: [INotebookTracker, IRecords],
  optional: [ICommandPalette, ILayoutRestorer, IStateDB, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker,
    records: IRecords,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    state: IStateDB | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('jupyter_pipelines');
    const drafts = draftsIn(state);
    const pages = new WidgetTracker<MainAreaWidget<BackfillWidget>>({
      namespace: 'jupyter-pipelines-backfill'
    });
    const parametersOf = async (notebook: string): Promise<IParameter[]> => {
      const file = await app.serviceManager.contents.get(notebook);
      const pipeline = await records.api.compile(
        notebook,
        file.content as JSONObject
      );
      return pipeline.parameters;
    };
    const newPage = (
      Content: typeof BackfillWidget,
      notebook: string,
      backfill: string
    ): MainAreaWidget<BackfillWidget> => {
      const content = new Content(notebook, backfill, {
        records,
        commands: app.commands,
        drafts,
        parametersOf,
        trans
      });
      const page = pageOf(
        content,
        `jupyter-pipelines-backfill:${notebook}`,
        trans.__('Backfill %1', notebook.split('/').pop())
      );
      content.changed.connect(() => {
        void pages.save(page);
      });
      void pages.add(page);
      return page;
    };
    const pathOf = (path: unknown): string =>
      typeof path === 'string' && path !== ''
        ? path
        : (tracker.currentWidget?.context.localPath ?? '');
    app.commands.addCommand(CommandIDs.backfill, {
      label: trans.__('Backfill …'),
      caption: trans.__('Run the pipeline over the data windows of a range'),
      isEnabled: args => pathOf(args.path) !== '',
      describedBy: {
        args: {
          type: 'object',
          properties: {
            path: {
              type: 'string',
              description: 'The notebook; the one that is open unless given'
            },
            backfill: {
              type: 'string',
              description: 'The id of a backfill to be shown'
            }
          }
        }
      },
      execute: async args => {
        const path = pathOf(args.path);
        const backfill = typeof args.backfill === 'string' ? args.backfill : '';
        // Before the look for a page: it may be asked for twice at once.
        const { BackfillWidget } = await import('./page');
        const shown = pages.find(({ content }) => content.notebook === path);
        if (shown) {
          shown.content.backfill = backfill;
        }
        showPage(app.shell, shown ?? newPage(BackfillWidget, path, backfill));
      }
    });
    palette?.addItem({
      command: CommandIDs.backfill,
      category: trans.__('Pipeline')
    });
    void restorer?.restore(pages, {
      command: CommandIDs.backfill,
      args: ({ content }) => ({
        path: content.notebook,
        backfill: content.backfill
      }),
      name: ({ content }) => content.notebook
    });
  }
};
