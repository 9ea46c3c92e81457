/** The problems of one notebook's cells, each below the editor of its cell. */
import type { Cell } from '@jupyterlab/cells';
import type { Notebook } from '@jupyterlab/notebook';
import type { IDisposable } from '@lumino/disposable';
import type { PanelLayout } from '@lumino/widgets';
import type { IDiagnostic } from '../../api';
import type { CellProblemsWidget, ICellProblemsProps } from './cell';

/** Where one is typing, what is wrong so far is not told before a pause of so many milliseconds. */
const PATIENCE = 1000;

export class NotebookProblems implements IDisposable {
  constructor(
    private readonly _notebook: Notebook,
    private readonly _props: Omit<ICellProblemsProps, 'problems' | 'onPick'>,
    private readonly _onPick: (cell: Cell, line: number) => void
  ) {}

  isDisposed = false;

  dispose(): void {
    if (!this.isDisposed) {
      this.isDisposed = true;
      window.clearTimeout(this._later);
      this._shown.forEach(widget => {
        widget.dispose();
      });
      this._shown.clear();
    }
  }

  /** Show what is wrong with a cell now; notes are left to the panel. */
  show(cell: Cell, all: readonly IDiagnostic[]): void {
    const problems = all.filter(({ severity }) => severity !== 'info');
    const widget = this._shown.get(cell);
    this._wanted.set(cell, problems);
    if (widget) {
      if (problems.length > 0) {
        widget.problems = problems;
      } else {
        widget.dispose();
      }
    } else if (problems.length > 0) {
      window.clearTimeout(this._later);
      const patience = this._isTyping(cell) ? PATIENCE : 0;
      this._waiting.add(cell);
      this._later = window.setTimeout(() => {
        this._waiting.forEach(waiting => void this._add(waiting));
        this._waiting.clear();
      }, patience);
    }
  }

  private _isTyping(cell: Cell): boolean {
    return this._notebook.mode === 'edit' && this._notebook.activeCell === cell;
  }

  private async _add(cell: Cell): Promise<void> {
    // The parts of a cell that was never seen do not exist yet.
    const [{ CellProblemsWidget }] = await Promise.all([
      import('./cell'),
      cell.ready
    ]);
    const problems = this._wanted.get(cell) ?? [];
    const input = cell.inputArea?.parent;
    if (
      this.isDisposed ||
      cell.isDisposed ||
      !input ||
      problems.length === 0 ||
      this._shown.has(cell)
    ) {
      return;
    }
    const widget = new CellProblemsWidget({
      ...this._props,
      problems,
      onPick: line => {
        this._onPick(cell, line);
      }
    });
    this._shown.set(cell, widget);
    widget.disposed.connect(() => {
      this._shown.delete(cell);
    });
    const layout = cell.layout as PanelLayout;
    layout.insertWidget(layout.widgets.indexOf(input) + 1, widget);
  }

  private readonly _shown = new Map<Cell, CellProblemsWidget>();
  private readonly _waiting = new Set<Cell>();
  private readonly _wanted = new WeakMap<Cell, readonly IDiagnostic[]>();
  private _later = 0;
}
