import {
  ILayoutRestorer,
  IRouter,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { type MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { URLExt } from '@jupyterlab/coreutils';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import type { TranslationBundle } from '@jupyterlab/translation';
import { CommandIDs, IRecords } from '../../tokens';
import { isNotebook7, pageOf, showPage } from '../../ui/page';
import { ExecutedDrive, pathOfExecuted } from './executed';
import type { RunWidget } from './page';

/** In the address: the run whose page is shown. */
const QUERY = 'pipeline-run';
const ID = { type: 'string', description: 'The id of a run' };
const ARGUMENTS = {
  args: { type: 'object', required: ['run'], properties: { run: ID } }
} as const;

/** The address that shows the page of a run, to be given to others. */
export function linkTo(base: string, run: string): string {
  const place = isNotebook7() ? 'tree' : 'lab';
  return `${URLExt.join(base, place)}?${QUERY}=${encodeURIComponent(run)}`;
}

/** The run that an address asks for; empty for none. */
export function runIn(search: string): string {
  return new URLSearchParams(search).get(QUERY) ?? '';
}

function addPages(
  app: JupyterFrontEnd,
  records: IRecords,
  rendermime: IRenderMimeRegistry,
  restorer: ILayoutRestorer | null,
  trans: TranslationBundle
): void {
  const pages = new WidgetTracker<MainAreaWidget>({
    namespace: 'jupyter-pipelines-run'
  });
  const idOf = (run: string): string => `jupyter-pipelines-run:${run}`;
  const newPage = (
    Content: typeof RunWidget,
    run: string
  ): MainAreaWidget<RunWidget> => {
    const content = new Content(run, {
      records,
      commands: app.commands,
      rendermime,
      trans,
      link: linkTo(records.api.settings.baseUrl, run)
    });
    const page = pageOf(
      content,
      idOf(run),
      trans.__('Run %1', run.slice(0, 8))
    );
    void pages.add(page);
    return page;
  };
  app.commands.addCommand(CommandIDs.openRun, {
    label: trans.__('Open a Run'),
    caption: trans.__('Show the page of a run of a pipeline'),
    describedBy: ARGUMENTS,
    execute: async args => {
      const run = typeof args.run === 'string' ? args.run : '';
      // Before the look for a page: it may be asked for twice at once.
      const { RunWidget } = await import('./page');
      const shown = pages.find(({ id }) => id === idOf(run));
      showPage(app.shell, shown ?? newPage(RunWidget, run));
    }
  });
  void restorer?.restore(pages, {
    command: CommandIDs.openRun,
    args: ({ id }) => ({ run: id.slice(idOf('').length) }),
    name: ({ id }) => id
  });
}

/** The page of a run, a link that leads to it, and its executed notebook. */
export const runsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-pipelines:runs',
  description: 'Shows runs of pipelines, and the notebooks they have executed.',
  autoStart: true,
  requires: [IRecords, IRenderMimeRegistry],
  optional: [ILayoutRestorer, IRouter, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    records: IRecords,
    rendermime: IRenderMimeRegistry,
    restorer: ILayoutRestorer | null,
    router: IRouter | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('jupyter_pipelines');
    addPages(app, records, rendermime, restorer, trans);
    app.serviceManager.contents.addDrive(new ExecutedDrive(records.api));
    app.commands.addCommand(CommandIDs.openExecuted, {
      label: trans.__('Open the Executed Notebook of a Run'),
      describedBy: ARGUMENTS,
      execute: async args => {
        const run = await records.api.run(
          typeof args.run === 'string' ? args.run : ''
        );
        const path = pathOfExecuted(run);
        if (isNotebook7()) {
          await app.commands.execute(CommandIDs.openNotebook, { path });
          return;
        }
        const opened = (await app.commands.execute('docmanager:open', {
          path,
          factory: 'Notebook',
          kernelPreference: { shouldStart: false, canStart: false }
        })) as NotebookPanel;
        await opened.context.ready;
        // Formats are brought up to date as files are read; here that is nothing to be saved.
        opened.context.model.dirty = false;
      }
    });
    const route = 'jupyter-pipelines:route-run';
    app.commands.addCommand(route, {
      describedBy: { args: { type: 'object', properties: {} } },
      execute: async () => {
        const run = runIn(router?.current.search ?? '');
        // The tabs of the last time come first, so that the page is before them.
        await app.restored;
        await app.commands.execute(CommandIDs.openRun, { run });
      }
    });
    router?.register({
      command: route,
      pattern: new RegExp(`[?&]${QUERY}=[\\w-]`),
      rank: 25
    });
  }
};
