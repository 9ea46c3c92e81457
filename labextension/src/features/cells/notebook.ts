/** The pills of one notebook: one for each cell, kept as the notebook, its pipeline and its runs are. */
import type { Cell } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';
import type { PanelLayout } from '@lumino/widgets';
import type { IPipeline, IStepBrief } from '../../api';
import type {
  ICompiler,
  IDrifts,
  ILiveValues,
  INotebookRecords,
  IRecords,
  ISuggestions
} from '../../tokens';
import { notCarried } from '../values/model';
import { NotebookProblems } from '../problems/notebook';
import { openOptions, openTagger } from './gestures';
import { goToCell } from './go-to';
import { type IMark, lastOfSteps, marksOf, NO_MARK, sameMark } from './marks';
import { isTagged } from './model';
import { CellPill, type Gesture } from './pill';

export interface IPillContext {
  compiler: ICompiler;
  records: IRecords;
  drifts: IDrifts;
  suggestions: ISuggestions;
  values: ILiveValues;
  trans: TranslationBundle;
}

export class NotebookPills implements IDisposable {
  constructor(
    readonly panel: NotebookPanel,
    readonly context: IPillContext
  ) {
    const { content } = panel;
    const { compiler, trans } = context;
    this._problems = new NotebookProblems(
      content,
      { compiler, trans },
      (cell, line) => {
        const position = content.widgets.indexOf(cell) + 1;
        void goToCell(panel, position, line);
      }
    );
    compiler.changed.connect(this._onCompiled, this);
    context.drifts.changed.connect(this._onDrift, this);
    context.suggestions.changed.connect(this._onSuggested, this);
    context.values.changed.connect(this._onValues, this);
    content.activeCellChanged.connect(this._onActive, this);
    void panel.context.ready.then(() => {
      if (!this.isDisposed) {
        content.model?.cells.changed.connect(this._onCells, this);
        this._sync();
        this._onCompiled();
      }
    });
  }

  isDisposed = false;

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this.isDisposed = true;
    const { compiler, drifts, suggestions, values } = this.context;
    const { content } = this.panel;
    content.model?.cells.changed.disconnect(this._onCells, this);
    content.activeCellChanged.disconnect(this._onActive, this);
    compiler.changed.disconnect(this._onCompiled, this);
    drifts.changed.disconnect(this._onDrift, this);
    suggestions.changed.disconnect(this._onSuggested, this);
    values.changed.disconnect(this._onValues, this);
    this._follow(null);
    this._problems.dispose();
    this._pills.forEach(pill => {
      pill.dispose();
    });
    this._pills.clear();
  }

  pillOf(cell: Cell): CellPill | undefined {
    return this._pills.get(cell);
  }

  /** The last good answer about this notebook. */
  get pipeline(): IPipeline | null {
    return this._pipeline;
  }

  /** How a step was last; `null` when it never ran. */
  lastOf(step: string): IStepBrief | null {
    return this._last.get(step) ?? null;
  }

  // The widget of an added cell exists only after the notebook has handled the change.
  private _onCells(): void {
    void Promise.resolve().then(() => {
      this._sync();
    });
  }

  /** Give pills to the cells that have none yet. */
  private _sync(): void {
    if (this.isDisposed) {
      return;
    }
    for (const cell of this.panel.content.widgets) {
      if (!this._pills.has(cell)) {
        const pill = new CellPill(
          cell.model,
          this.context.trans,
          this._onGesture
        );
        this._pills.set(cell, pill);
        (cell.layout as PanelLayout).insertWidget(0, pill);
        cell.disposed.connect(() => {
          this._pills.delete(cell);
        });
      }
    }
    this._onActive();
  }

  private _onActive(): void {
    const { activeCell } = this.panel.content;
    const pill = activeCell ? this._pills.get(activeCell) : undefined;
    if (pill !== this._reachable) {
      if (this._reachable) {
        this._reachable.reachable = false;
      }
      this._reachable = pill ?? null;
    }
    if (pill) {
      pill.reachable = true;
    }
  }

  private _onCompiled(): void {
    const { notebook, pipeline } = this.context.compiler.current;
    const { model } = this.panel.content;
    if (notebook !== this.panel) {
      this._follow(null);
      return;
    }
    if (!model || !pipeline || pipeline === this._pipeline) {
      return;
    }
    this._pipeline = pipeline;
    const tagged = isTagged(model);
    this._tagged = tagged;
    this._mark();
    const path = this.panel.context.localPath;
    this._follow(tagged ? this.context.records.of(path) : null);
    this._update();
  }

  private _mark(): void {
    const { values, trans } = this.context;
    if (this._pipeline) {
      const live = notCarried(this._pipeline, values.values, trans);
      this._marks = marksOf(this._pipeline, this._tagged, live);
    }
  }

  private _onValues(): void {
    if (this.context.compiler.current.notebook === this.panel) {
      this._mark();
      this._update();
    }
  }

  private _onSuggested(_: unknown, panel: NotebookPanel): void {
    if (panel === this.panel) {
      this._update();
    }
  }

  private _onDrift(): void {
    const { drifts } = this.context;
    if (drifts.current.path === this.panel.context.localPath) {
      this._changed = drifts.changedCells;
      this._update();
    }
  }

  private _onRuns(): void {
    this._last = lastOfSteps(this._records?.runs.value ?? []);
    this._update();
  }

  /** Keep the runs of the notebook as they are on the server; `null` to stop. */
  private _follow(records: INotebookRecords | null): void {
    if (records === this._records) {
      return;
    }
    this._records?.runs.changed.disconnect(this._onRuns, this);
    this._held?.dispose();
    this._held = null;
    this._records = records;
    if (records) {
      records.runs.changed.connect(this._onRuns, this);
      this._held = records.runs.use();
      this._onRuns();
    }
  }

  /** Draw those pills again that are not as they were. */
  private _update(): void {
    const proposals = this.context.suggestions.of(this.panel);
    const proposed = [...proposals.values()].map(({ name }) => name);
    const steps = [...new Set(proposed.filter(name => name !== ''))];
    this.panel.content.widgets.forEach((cell, index) => {
      const pill = this._pills.get(cell);
      if (!pill) {
        return;
      }
      const { state } = pill;
      const mark = this._markOf(index + 1, cell);
      const last = (mark.first && this._last.get(mark.step)) || null;
      if (mark.problems !== state.mark.problems) {
        this._problems.show(cell, mark.problems);
      }
      const changed =
        this._changed.has(index + 1) && cell.model.type === 'code';
      const proposal = proposals.get(cell.model.id) ?? null;
      if (
        !sameMark(mark, state.mark) ||
        changed !== state.changed ||
        proposal !== state.proposal ||
        !sameStep(last, state.last)
      ) {
        const proposedOrder = steps.indexOf(proposal?.name ?? '');
        pill.state = { mark, last, changed, proposal, proposedOrder };
      }
    });
  }

  private _markOf(position: number, cell: Cell): IMark {
    return cell.model.type === 'code'
      ? (this._marks.get(position) ?? NO_MARK)
      : NO_MARK;
  }

  private readonly _onGesture = (pill: CellPill, gesture: Gesture): void => {
    const { suggestions } = this.context;
    const cells = [pill.model.id];
    switch (gesture) {
      case 'tag':
        void openTagger(this, pill);
        break;
      case 'options':
        void openOptions(this, pill);
        break;
      case 'accept':
        suggestions.accept(this.panel, cells);
        break;
      case 'reject':
        suggestions.reject(this.panel, cells);
    }
  };

  private readonly _problems: NotebookProblems;
  private readonly _pills = new Map<Cell, CellPill>();
  private _changed: ReadonlySet<number> = new Set();
  private _held: IDisposable | null = null;
  private _last: ReadonlyMap<string, IStepBrief> = new Map();
  private _marks: ReadonlyMap<number, IMark> = new Map();
  private _pipeline: IPipeline | null = null;
  private _reachable: CellPill | null = null;
  private _tagged = false;
  private _records: INotebookRecords | null = null;
}

function sameStep(a: IStepBrief | null, b: IStepBrief | null): boolean {
  return a?.state === b?.state && a?.ended === b?.ended;
}
