import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { Dialog, ICommandPalette, showDialog } from '@jupyterlab/apputils';
import type { ICellModel } from '@jupyterlab/cells';
import {
  INotebookTracker,
  type Notebook,
  type NotebookPanel
} from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { CommandIDs, ICompiler } from '../../tokens';
import {
  headingAbove,
  isStepName,
  type ITagged,
  readRole,
  readTags,
  type Role,
  suggestStepName,
  writeRole
} from './model';
import { NameField } from './name-field';
import { BadgeExtension } from './view';

/** The code cells that a command is about: the selected ones, the active one among them. */
function chosenCells(notebook: Notebook): ICellModel[] {
  return notebook.widgets
    .filter(cell => notebook.isSelectedOrActive(cell))
    .map(cell => cell.model)
    .filter(cell => cell.type === 'code');
}

/** The names of the steps that are tagged in this notebook, in its order. */
function stepNames(notebook: Notebook): string[] {
  const names = notebook.widgets
    .map(cell => readRole(readTags(cell.model)))
    .filter(tagged => tagged?.role === 'step')
    .map(tagged => tagged?.name ?? '');
  return [...new Set(names)];
}

/** Ask for a step's name, until it is one or the author gives up. */
async function askForName(
  notebook: Notebook,
  trans: TranslationBundle
): Promise<string | null> {
  const names = stepNames(notebook);
  const active = notebook.activeCell;
  const own = active ? readRole(readTags(active.model)) : null;
  let text =
    own?.role === 'step'
      ? own.name
      : suggestStepName(
          headingAbove(notebook.model?.cells ?? [], notebook.activeCellIndex),
          new Set(names)
        );
  let label = trans.__('Cells with the same name belong to one step.');
  for (;;) {
    const answer = await showDialog({
      title: trans.__('Name of the step'),
      body: new NameField({ label, text, names }),
      buttons: [
        Dialog.cancelButton(),
        Dialog.okButton({ label: trans.__('Tag') })
      ],
      focusNodeSelector: 'input'
    });
    if (!answer.button.accept || answer.value === null) {
      return null;
    }
    text = answer.value;
    if (isStepName(text)) {
      return text;
    }
    label = trans.__('Begin with a letter; then letters, digits, “-” and “_”.');
  }
}

/** Scroll to a cell, make it the active one, and move the focus to it. */
async function goToCell(panel: NotebookPanel, position: number): Promise<void> {
  const { content } = panel;
  const cell = content.widgets[position - 1];
  if (!cell) {
    return;
  }
  content.deselectAll();
  content.activeCellIndex = position - 1;
  content.mode = 'command';
  await content.scrollToItem(position - 1, 'center').catch(() => undefined);
  content.activate();
}

function addTagCommands(
  app: JupyterFrontEnd,
  tracker: INotebookTracker,
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
    caption: trans.__('Begin or continue a step at the selected cells'),
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
      const notebook = tracker.currentWidget?.content;
      if (!notebook) {
        return;
      }
      const given = typeof args.name === 'string' ? args.name : null;
      const name = given ?? (await askForName(notebook, trans));
      if (name !== null && isStepName(name)) {
        write(notebook, { role: 'step', name });
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
          }
        }
      }
    },
    execute: async (args: ReadonlyPartialJSONObject) => {
      const panel = tracker.currentWidget;
      if (panel && typeof args.cell === 'number') {
        app.shell.activateById(panel.id);
        await goToCell(panel, args.cell);
      }
    }
  });
}

/** Tagging cells, and badges that show what they are. The menus are declared in `schema/cells.json`. */
export const cellsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-pipelines:cells',
  description: 'Tags cells as parts of a pipeline, and shows it.',
  autoStart: true,
  requires: [INotebookTracker, ICompiler],
  optional: [ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker,
    compiler: ICompiler,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('jupyter_pipelines');
    addTagCommands(app, tracker, trans);
    addGoToCell(app, tracker, trans);
    app.docRegistry.addWidgetExtension(
      'Notebook',
      new BadgeExtension(compiler, trans)
    );
    for (const command of [
      CommandIDs.tagStep,
      CommandIDs.tagSetup,
      CommandIDs.tagParameters,
      CommandIDs.tagSkip,
      CommandIDs.untag
    ]) {
      palette?.addItem({ command, category: trans.__('Pipeline') });
    }
  }
};
