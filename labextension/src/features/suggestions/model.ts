/** Proposals for cells, kept beside the notebook until they are accepted or rejected. */
import type { ICellModel } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { type ISignal, Signal } from '@lumino/signaling';
import type { IProposal, ISuggestion } from '../../api';
import type { ISuggestions } from '../../tokens';
import {
  change,
  readMagic,
  readRole,
  readTags,
  setTags,
  withRole
} from '../cells/model';

const NONE: ReadonlyMap<string, IProposal> = new Map();

function isTaggedCell(cell: ICellModel): boolean {
  return (
    readRole(readTags(cell)) !== null ||
    readMagic(cell.sharedModel.getSource()) !== null
  );
}

/** See {@link ISuggestions}. */
export class Suggestions implements ISuggestions {
  of(notebook: NotebookPanel): ReadonlyMap<string, IProposal> {
    return this._proposals.get(notebook) ?? NONE;
  }

  get changed(): ISignal<this, NotebookPanel> {
    return this._changed;
  }

  /** Keep what is proposed for the cells as they stand. */
  set(notebook: NotebookPanel, { cells }: ISuggestion): void {
    const proposals = new Map<string, IProposal>();
    for (const proposal of cells) {
      const model = notebook.content.widgets[proposal.cell - 1]?.model;
      if (model?.type === 'code' && !isTaggedCell(model)) {
        proposals.set(model.id, proposal);
      }
    }
    this._set(notebook, proposals);
  }

  accept(notebook: NotebookPanel, cells?: readonly string[]): void {
    const { model } = notebook.content;
    const proposals = this.of(notebook);
    const wanted = new Set(cells ?? proposals.keys());
    if (!model) {
      return;
    }
    change(model, () => {
      for (const cell of model.cells) {
        const proposal = wanted.has(cell.id) && proposals.get(cell.id);
        if (proposal && !isTaggedCell(cell)) {
          setTags(cell, withRole(readTags(cell), proposal));
        }
      }
    });
    this.reject(notebook, cells);
  }

  reject(notebook: NotebookPanel, cells?: readonly string[]): void {
    const left = new Map(cells ? this.of(notebook) : NONE);
    for (const cell of cells ?? []) {
      left.delete(cell);
    }
    this._set(notebook, left);
  }

  private _set(
    notebook: NotebookPanel,
    proposals: ReadonlyMap<string, IProposal>
  ): void {
    this._proposals.set(notebook, proposals);
    this._changed.emit(notebook);
  }

  private readonly _changed = new Signal<this, NotebookPanel>(this);
  private readonly _proposals = new WeakMap<
    NotebookPanel,
    ReadonlyMap<string, IProposal>
  >();
}
