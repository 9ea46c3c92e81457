/** The commands about cells. Their menus and shortcuts are declared in `schema/cells.json`. */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type {
  INotebookTracker,
  Notebook,
  NotebookPanel
} from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { CommandIDs } from '../../tokens';
import { chosenCells, openOptions, openTagger } from './gestures';
import { goToCell } from './go-to';
import { type ITagged, type Role, writeRole } from './model';
import { isStepName } from './names';
import type { NotebookPills } from './notebook';
import type { CellPill } from './pill';
import { Typeahead } from './typeahead';

type PillsOf = (panel: NotebookPanel) => NotebookPills | undefined;

/** The pill of the first chosen code cell, scrolled to. */
async function chosenPill(
  panel: NotebookPanel,
  pillsOf: PillsOf
): Promise<[NotebookPills, CellPill] | null> {
  const { content } = panel;
  const pills = pillsOf(panel);
  const [first] = chosenCells(content);
  const active = content.activeCell;
  const model = active?.model.type === 'code' ? active.model : first;
  const index = content.widgets.findIndex(cell => cell.model === model);
  const cell = content.widgets[index];
  const pill = cell && pills?.pillOf(cell);
  if (!pills || !pill) {
    return null;
  }
  content.mode = 'command';
  await content.scrollToItem(index, 'auto').catch(() => undefined);
  return [pills, pill];
}

function addTagCommands(
  app: JupyterFrontEnd,
  tracker: INotebookTracker,
  pillsOf: PillsOf,
  trans: TranslationBundle
): void {
  const isEnabled = (): boolean => {
    const notebook = tracker.currentWidget?.content;
    return notebook !== undefined && chosenCells(notebook).length > 0;
  };
  const write = (notebook: Notebook, next: ITagged | null): void => {
    if (notebook.model) {
      writeRole(notebook.model, chosenCells(notebook), next);
    }
  };
  app.commands.addCommand(CommandIDs.tagStep, {
    label: trans.__('Tag as a Step of the Pipeline…'),
    caption: trans.__('Say what the selected cells are to the pipeline'),
    isEnabled,
    describedBy: {
      args: {
        type: 'object',
        properties: {
          name: {
            type: 'string',
            description: 'The name of the step; asked for when it is missing'
          }
        }
      }
    },
    execute: async (args: ReadonlyPartialJSONObject) => {
      const panel = tracker.currentWidget;
      if (!panel) {
        return;
      }
      if (typeof args.name === 'string') {
        if (isStepName(args.name)) {
          write(panel.content, { role: 'step', name: args.name });
        }
        return;
      }
      const ahead = new Typeahead();
      app.shell.activateById(panel.id);
      const chosen = await chosenPill(panel, pillsOf);
      if (chosen) {
        await openTagger(...chosen, ahead);
      } else {
        ahead.stop();
      }
    }
  });
  const others: [string, Role | null, string][] = [
    [CommandIDs.tagSetup, 'setup', trans.__('Tag as Setup')],
    [CommandIDs.tagParameters, 'parameters', trans.__('Tag as Parameters')],
    [CommandIDs.tagSkip, 'skip', trans.__('Skip in the Pipeline')],
    [CommandIDs.untag, null, trans.__('Remove Pipeline Tags')]
  ];
  for (const [id, role, label] of others) {
    app.commands.addCommand(id, {
      label,
      isEnabled,
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => {
        const notebook = tracker.currentWidget?.content;
        if (notebook) {
          write(notebook, role && { role, name: '' });
        }
      }
    });
  }
  app.commands.addCommand(CommandIDs.stepOptions, {
    label: trans.__('Options of the Step…'),
    caption: trans.__('Retries, time limit, reuse and order of the step'),
    isEnabled: () => {
      const panel = tracker.currentWidget;
      const cell = panel?.content.activeCell;
      const pill = cell && pillsOf(panel)?.pillOf(cell);
      return pill?.own?.role === 'step';
    },
    describedBy: { args: { type: 'object', properties: {} } },
    execute: async () => {
      const panel = tracker.currentWidget;
      const chosen = panel && (await chosenPill(panel, pillsOf));
      if (chosen) {
        await openOptions(...chosen);
      }
    }
  });
}

function addGoToCell(
  app: JupyterFrontEnd,
  tracker: INotebookTracker,
  trans: TranslationBundle
): void {
  app.commands.addCommand(CommandIDs.goToCell, {
    label: trans.__('Go to Cell'),
    describedBy: {
      args: {
        type: 'object',
        required: ['cell'],
        properties: {
          cell: {
            type: 'integer',
            minimum: 1,
            description: '1-based position among all cells'
          },
          line: {
            type: 'integer',
            minimum: 1,
            description: '1-based line, to put the cursor there'
          }
        }
      }
    },
    execute: async (args: ReadonlyPartialJSONObject) => {
      const panel = tracker.currentWidget;
      if (panel && typeof args.cell === 'number') {
        app.shell.activateById(panel.id);
        const line = typeof args.line === 'number' ? args.line : 0;
        await goToCell(panel, args.cell, line);
      }
    }
  });
}

export function addCommands(
  app: JupyterFrontEnd,
  tracker: INotebookTracker,
  pillsOf: PillsOf,
  trans: TranslationBundle
): void {
  addTagCommands(app, tracker, pillsOf, trans);
  addGoToCell(app, tracker, trans);
}
