import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import {
  ICommandPalette,
  type MainAreaWidget,
  Notification,
  WidgetTracker
} from '@jupyterlab/apputils';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { CommandIDs, ICompiler, IDrifts, IRecords } from '../../tokens';
import { pageOf, showPage } from '../../ui/page';
import { withoutOutputs } from '../compilation/model';
import { Drifts } from './model';

const PATH = {
  type: 'string',
  description: 'The notebook; the one that is open unless given'
};

/** Publishing needs the notebook as it is on disk, so it is saved first. Rejects when it cannot be. */
async function saved(panel: NotebookPanel | undefined): Promise<void> {
  if (panel?.context.model.dirty) {
    await panel.context.save();
  }
}

/** `publish` and `review`. */
function addCommands(
  app: JupyterFrontEnd,
  tracker: INotebookTracker,
  records: IRecords,
  drifts: IDrifts,
  restorer: ILayoutRestorer | null,
  trans: TranslationBundle
): void {
  const pathOf = (args: ReadonlyPartialJSONObject): string =>
    typeof args.path === 'string'
      ? args.path
      : (tracker.currentWidget?.context.localPath ?? '');
  const isEnabled = (args: ReadonlyPartialJSONObject): boolean =>
    pathOf(args) !== '';
  const find = (path: string): NotebookPanel | undefined =>
    tracker.find(({ context }) => context.localPath === path);
  app.commands.addCommand(CommandIDs.publish, {
    label: trans.__('Publish the Pipeline'),
    caption: trans.__('Freeze the notebook as the version that schedules run'),
    isEnabled,
    describedBy: {
      args: {
        type: 'object',
        properties: {
          path: PATH,
          message: { type: 'string' },
          continuing: {
            type: 'string',
            description: 'The notebook whose versions go on with this one'
          }
        }
      }
    },
    execute: async args => {
      const path = pathOf(args);
      await saved(find(path));
      const message = typeof args.message === 'string' ? args.message : '';
      const version = await records.api.publish(
        path,
        message,
        typeof args.continuing === 'string' ? args.continuing : ''
      );
      const notebook = records.of(path);
      await Promise.all([
        notebook.versions.refresh(),
        notebook.summary.refresh(),
        drifts.refresh()
      ]);
      Notification.success(
        version.is_new
          ? trans.__('Published: schedules of %1 run this version now.', path)
          : trans.__('%1 was published before as it is now.', path),
        { autoClose: 4000 }
      );
    }
  });
  const pages = new WidgetTracker<MainAreaWidget>({
    namespace: 'jupyter-pipelines-review'
  });
  const idOf = (path: string): string => `jupyter-pipelines-review:${path}`;
  const newPage = async (path: string): Promise<MainAreaWidget> => {
    const { ReviewWidget } = await import('./review');
    const content = new ReviewWidget({
      records,
      drifts,
      commands: app.commands,
      notebook: records.of(path),
      contentOf: which => {
        const model = find(which)?.model;
        return model ? withoutOutputs(model) : null;
      },
      trans
    });
    return pageOf(
      content,
      idOf(path),
      trans.__('%1: versions', path.split('/').pop())
    );
  };
  app.commands.addCommand(CommandIDs.review, {
    label: trans.__('Review Versions and Changes'),
    caption: trans.__('Compare the notebook with what was published of it'),
    isEnabled,
    describedBy: { args: { type: 'object', properties: { path: PATH } } },
    execute: async args => {
      const path = pathOf(args);
      let page = pages.find(({ id }) => id === idOf(path));
      if (!page) {
        page = await newPage(path);
        await pages.add(page);
      }
      showPage(app.shell, page);
    }
  });
  void restorer?.restore(pages, {
    command: CommandIDs.review,
    args: ({ id }) => ({ path: id.slice(idOf('').length) }),
    name: ({ id }) => id
  });
}

/** Drift, publishing, and the history of versions. */
export const versionsPlugin: JupyterFrontEndPlugin<IDrifts> = {
  id: 'jupyter-pipelines:versions',
  description: 'Compares notebooks with what is published of them.',
  autoStart: true,
  requires: [INotebookTracker, ICompiler, IRecords],
  optional: [ICommandPalette, ILayoutRestorer, ITranslator],
  provides: IDrifts,
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker,
    compiler: ICompiler,
    records: IRecords,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('jupyter_pipelines');
    const drifts = new Drifts(compiler, records);
    addCommands(app, tracker, records, drifts, restorer, trans);
    for (const command of [CommandIDs.publish, CommandIDs.review]) {
      palette?.addItem({ command, category: trans.__('Pipeline') });
    }
    return drifts;
  }
};
