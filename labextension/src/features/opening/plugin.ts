import {
  IRouter,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { CommandIDs } from '../../tokens';
import { isNotebook7 } from '../../ui/page';
import { addressOf, type IPlace, MARK, placeIn } from './model';

/** The notebook of a page of Notebook 7, as soon as it is there. */
async function firstOf(tracker: INotebookTracker): Promise<NotebookPanel> {
  return (
    tracker.currentWidget ??
    new Promise(resolve => {
      tracker.widgetAdded.connect((_, panel) => {
        resolve(panel);
      });
    })
  );
}

async function isReady(panel: NotebookPanel): Promise<void> {
  await Promise.all([panel.context.ready, panel.revealed]);
}

/** Opens notebooks at a place of theirs, also where each has a tab of the browser to itself. */
export const openingPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-pipelines:opening',
  description: 'Opens a notebook at a cell, or with a part of its panel.',
  autoStart: true,
  requires: [INotebookTracker],
  optional: [IRouter, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker,
    router: IRouter | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('jupyter_pipelines');
    const { commands, serviceManager } = app;
    const goTo = async ({ cell, section, schedule }: IPlace): Promise<void> => {
      if (cell) {
        await commands.execute(CommandIDs.goToCell, { cell });
      } else if (schedule) {
        await commands.execute(CommandIDs.schedule);
      } else if (section) {
        await commands.execute(CommandIDs.showPanel, { section });
      }
    };
    commands.addCommand(CommandIDs.openNotebook, {
      label: trans.__('Open a Notebook at a Place'),
      describedBy: {
        args: {
          type: 'object',
          required: ['path'],
          properties: {
            path: { type: 'string', description: 'The notebook' },
            cell: {
              type: 'integer',
              minimum: 1,
              description: '1-based position among all cells'
            },
            section: {
              type: 'string',
              description: 'The section of the panel to open'
            },
            schedule: {
              type: 'boolean',
              description: 'Begin a new schedule'
            }
          }
        }
      },
      execute: async args => {
        const { path, ...place } = args as unknown as IPlace & { path: string };
        if (tracker.currentWidget?.context.localPath === path) {
          app.shell.activateById(tracker.currentWidget.id);
        } else if (isNotebook7()) {
          const { baseUrl } = serviceManager.serverSettings;
          window.open(addressOf(baseUrl, path, place), '_blank');
          return;
        } else {
          await isReady(
            (await commands.execute('docmanager:open', {
              path
            })) as NotebookPanel
          );
        }
        await goTo(place);
      }
    });
    if (router && isNotebook7()) {
      const route = 'jupyter-pipelines:route-place';
      commands.addCommand(route, {
        describedBy: { args: { type: 'object', properties: {} } },
        execute: () => {
          const place = placeIn(router.current.search ?? '');
          // A reload shows the notebook where its reader was then.
          window.history.replaceState({}, '', window.location.pathname);
          // Not waited for: routes are followed one after another, and a later one opens the notebook.
          void firstOf(tracker)
            .then(isReady)
            .then(() => goTo(place));
        }
      });
      router.register({ command: route, pattern: MARK, rank: 25 });
    }
  }
};
