/** What one does at a pill: say what the cell is, and set the options of its step. */
import type { ICellModel } from '@jupyterlab/cells';
import type { Notebook } from '@jupyterlab/notebook';
import type { Widget } from '@lumino/widgets';
import {
  readMagic,
  readRole,
  readTags,
  renameStep,
  taggedSteps,
  writeRole
} from './model';
import { headingAbove, suggestStepName } from './names';
import type { NotebookPills } from './notebook';
import { readOptions, writeOptions } from './options';
import type { CellPill } from './pill';
import type { Choice } from './tagging';
import { Typeahead } from './typeahead';

/** The code cells that a gesture is about: the selected ones, the active one among them. */
export function chosenCells(notebook: Notebook): ICellModel[] {
  return notebook.widgets
    .filter(cell => notebook.isSelectedOrActive(cell))
    .map(cell => cell.model)
    .filter(cell => cell.type === 'code');
}

/** Those that a pill is about: the selection when its cell is in it, else its cell. */
function cellsOf(notebook: Notebook, pill: CellPill): ICellModel[] {
  const chosen = chosenCells(notebook);
  return chosen.includes(pill.model) ? chosen : [pill.model];
}

/** Everything in the notebook that names the step, besides tags and options, stands in the cells' text. */
function isNamedInText(notebook: Notebook, step: string): boolean {
  return notebook.widgets.some(({ model }) => {
    const magic = readMagic(model.sharedModel.getSource());
    return magic?.role === 'step' && magic.name === step;
  });
}

// At most one of them is open.
let open: Widget | null = null;

/** Show a form at a pill until it is done, then give the focus back to the cell if it is still in the form. */
function show(
  pills: NotebookPills,
  pill: CellPill,
  form: Widget,
  replaces: boolean
): () => void {
  open?.dispose();
  open = form;
  pill.host(form, replaces);
  return () => {
    const focused = form.node.contains(document.activeElement);
    open = null;
    form.dispose();
    if (focused) {
      const { content } = pills.panel;
      content.mode = 'command';
      content.activate();
    }
  };
}

function tag(
  notebook: Notebook,
  cells: readonly ICellModel[],
  choice: Choice
): void {
  const { model } = notebook;
  if (!model) {
    return;
  }
  switch (choice.kind) {
    case 'new':
    case 'step':
      writeRole(model, cells, { role: 'step', name: choice.name });
      break;
    case 'role':
      writeRole(model, cells, { role: choice.role, name: '' });
      break;
    case 'none':
      writeRole(model, cells, null);
      break;
    case 'rename':
      renameStep(model, choice.from, choice.name);
  }
}

/** Ask at the pill what its cell is, or the selected cells are. */
export async function openTagger(
  pills: NotebookPills,
  pill: CellPill,
  ahead = new Typeahead()
): Promise<void> {
  const notebook = pills.panel.content;
  const { model } = notebook;
  const { TaggerWidget } = await import('./tagger');
  if (!model || pill.isDisposed) {
    ahead.stop();
    return;
  }
  const cells = cellsOf(notebook, pill);
  const tagged = taggedSteps(model);
  const known = pills.pipeline?.steps.map(step => step.name) ?? [];
  const steps = [
    ...known.filter(name => name !== 'notebook'),
    ...tagged.filter(name => !known.includes(name))
  ];
  const current = readRole(readTags(pill.model));
  const own = current?.role === 'step' ? current.name : '';
  const index = notebook.widgets.findIndex(cell => cell.model === pill.model);
  const naming = Array.from(model.cells).filter(
    cell => readRole(readTags(cell))?.name === own
  );
  const close = show(
    pills,
    pill,
    new TaggerWidget({
      current,
      steps,
      canRename:
        own !== '' && cells.length === 1 && !isNamedInText(notebook, own),
      alone: naming.length === 1,
      offered:
        own ||
        suggestStepName(headingAbove(model.cells, index), new Set(steps)),
      count: cells.length,
      ahead,
      trans: pills.context.trans,
      onDone: choice => {
        close();
        if (choice) {
          tag(notebook, cells, choice);
          void pills.context.compiler.refresh();
        }
      }
    }),
    true
  );
}

/** Show the options of the step that the pill's cell is part of. */
export async function openOptions(
  pills: NotebookPills,
  pill: CellPill
): Promise<void> {
  const notebook = pills.panel.content;
  const { model } = notebook;
  const name = pill.own?.role === 'step' ? pill.own.name : '';
  if (!model || name === '') {
    return;
  }
  const { OptionsWidget } = await import('./options-form');
  if (pill.isDisposed) {
    return;
  }
  const steps = pills.pipeline?.steps ?? [];
  const positions = steps.find(step => step.name === name)?.cells ?? [];
  const known = positions.map(position => model.cells.get(position - 1));
  const cells = known.includes(pill.model) ? known : [pill.model];
  const { mark, last } = pill.state;
  const { values } = pills.context.values;
  const outputs = steps.find(step => step.name === name)?.outputs ?? [];
  const close = show(
    pills,
    pill,
    new OptionsWidget({
      step: name,
      order: mark.order,
      last: last ?? pills.lastOf(name),
      options: readOptions(cells),
      values: outputs.flatMap(output => {
        const value = values.get(output);
        return value ? [[output, value] as const] : [];
      }),
      others: steps.map(step => step.name).filter(other => other !== name),
      trans: pills.context.trans,
      onDone: options => {
        close();
        if (options) {
          writeOptions(model, cells, options);
          void pills.context.compiler.refresh();
        }
      }
    }),
    false
  );
}
