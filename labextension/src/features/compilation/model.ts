/** Following the open notebook, and asking the server what it means whenever its author pauses. */
import type { ICellModel } from '@jupyterlab/cells';
import type {
  INotebookModel,
  INotebookTracker,
  NotebookPanel
} from '@jupyterlab/notebook';
import type { JSONObject, PartialJSONObject } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';
import { ApiError, type IPipeline } from '../../api';
import type { ICompilation, ICompiler } from '../../tokens';
import { shared } from '../../ui/shared';

/** Asks for the pipeline of a notebook, given as JSON text; injected, so that it can be tested without a server. */
export type Compile = (
  name: string,
  notebook: string,
  signal: AbortSignal
) => Promise<IPipeline>;

const NOTHING: ICompilation = {
  notebook: null,
  pipeline: null,
  error: '',
  pending: false,
  activeCell: 0
};

/** Between a key and the question while another is asked, in milliseconds: half of what the last answer took, within these. */
const SHORTEST_PAUSE = 15;
const LONGEST_PAUSE = 250;

/** In place of a timer. */
const AT_ONCE = -1;

/** How long what is wrong with the line that is being typed is not spoken of. */
const UNFINISHED = 700;

/** Is there more wrong with a cell than was? */
function isWorse(
  before: IPipeline,
  after: IPipeline,
  activeCell: number
): boolean {
  const count = ({ diagnostics }: IPipeline): number =>
    diagnostics.filter(
      ({ location, severity }) =>
        location?.cell === activeCell && severity !== 'info'
    ).length;
  return count(after) > count(before);
}

function cellWithoutOutputs(cell: ICellModel): PartialJSONObject {
  const common = {
    cell_type: cell.type,
    id: cell.id,
    metadata: cell.metadata,
    source: cell.sharedModel.getSource()
  };
  return cell.type === 'code'
    ? { ...common, execution_count: null, outputs: [] }
    : common;
}

/** The notebook as JSON, without what running it left: outputs may be huge, and mean nothing here. */
export function withoutOutputs(model: INotebookModel): JSONObject {
  return {
    cells: [...model.cells].map(cellWithoutOutputs),
    metadata: model.metadata,
    nbformat: model.nbformat,
    nbformat_minor: model.nbformatMinor
  } as JSONObject;
}

/** The same as text. Of a large notebook a key changes one cell: the others are taken as they were written before. */
class Texts {
  of(model: INotebookModel): { notebook: string; sources: string[] } {
    const cells = [...model.cells].map(cell => this._of(cell));
    const { metadata, nbformat, nbformatMinor: nbformat_minor } = model;
    const rest = JSON.stringify({ metadata, nbformat, nbformat_minor });
    return {
      notebook: `{"cells":[${cells.map(({ text }) => text).join()}],${rest.slice(1)}`,
      sources: cells.map(({ source }) => source)
    };
  }

  private _of(cell: ICellModel): { text: string; source: string } {
    let written = this._written.get(cell);
    if (!written) {
      const content = cellWithoutOutputs(cell);
      written = {
        text: JSON.stringify(content),
        source: content.source as string
      };
      this._written.set(cell, written);
      const { sharedModel } = cell;
      const forget = (): void => {
        sharedModel.changed.disconnect(forget);
        this._written.delete(cell);
      };
      sharedModel.changed.connect(forget);
    }
    return written;
  }

  private readonly _written = new WeakMap<
    ICellModel,
    { text: string; source: string }
  >();
}

/** What a notebook that was made to debug a step is about; `null` for all others. It is no pipeline of its own. */
export function debuggedBy(
  model: INotebookModel
): { step: string; notebook: string } | null {
  const options = model.getMetadata('jupyter_pipelines') as
    { debug?: { step?: unknown; notebook?: unknown } } | undefined;
  const { step, notebook } = options?.debug ?? {};
  return typeof step === 'string' && typeof notebook === 'string'
    ? { step, notebook: notebook.split('/').pop() ?? '' }
    : null;
}

const NO_PIPELINE: IPipeline = {
  steps: [],
  edges: [],
  diagnostics: [],
  parameters: []
};

/** The pipeline without the empty cells that steps go on in: they have no part in it. */
export function withoutEmptyCells(
  pipeline: IPipeline,
  sources: readonly string[]
): IPipeline {
  const steps = pipeline.steps.map(step => ({
    ...step,
    cells: step.cells.filter(
      (cell, index) => index === 0 || sources[cell - 1]?.trim() !== ''
    )
  }));
  return { ...pipeline, steps };
}

/** See {@link ICompiler}. */
export class Compiler implements ICompiler, IDisposable {
  constructor(options: Compiler.IOptions) {
    this._compile = options.compile;
    this._retryAfter = options.retryAfter ?? 5000;
    options.tracker.currentChanged.connect(this._onNotebook, this);
    options.tracker.activeCellChanged.connect(this._onActiveCell, this);
    this._tracker = options.tracker;
    this._follow(options.tracker.currentWidget);
  }

  get current(): ICompilation {
    return this._current;
  }

  get changed(): ISignal<this, ICompilation> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  async refresh(): Promise<void> {
    this._asked = '';
    await this._ask();
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._unfollow();
    window.clearTimeout(this._asking);
    window.clearTimeout(this._withheld);
    Signal.clearData(this);
  }

  private _onNotebook(_: unknown, panel: NotebookPanel | null): void {
    this._follow(panel);
  }

  private _onActiveCell(): void {
    const activeCell = this._activeCell();
    if (activeCell !== this._current.activeCell) {
      this._update({ activeCell });
    }
  }

  private _activeCell(): number {
    const notebook = this._tracker.currentWidget?.content;
    return notebook?.activeCell ? notebook.activeCellIndex + 1 : 0;
  }

  private _follow(panel: NotebookPanel | null): void {
    if (panel && panel === this._current.notebook) {
      return;
    }
    this._unfollow();
    this._update({ ...NOTHING, notebook: panel });
    if (!panel) {
      return;
    }
    panel.context.pathChanged.connect(this._onPath, this);
    this._update({ pending: true });
    void panel.context.ready.then(() => {
      if (this._current.notebook !== panel || this._isDisposed) {
        return;
      }
      panel.model?.contentChanged.connect(this._onContent, this);
      this._update({ activeCell: this._activeCell() });
      void this._ask();
    });
  }

  private _unfollow(): void {
    this._current.notebook?.context.pathChanged.disconnect(this._onPath, this);
    this._current.notebook?.model?.contentChanged.disconnect(
      this._onContent,
      this
    );
    this._abort?.abort();
    window.clearTimeout(this._asking);
    window.clearTimeout(this._retry);
    window.clearTimeout(this._withheld);
    this._asking = 0;
    this._asked = '';
    this._inFlight = false;
  }

  // The name is part of what the server is asked, and of what the panel shows.
  private _onPath(): void {
    void this.refresh();
  }

  private _onContent(): void {
    // Cells may have moved under the active one.
    this._onActiveCell();
    if (this._asking) {
      return;
    }
    const ask = (): void => {
      this._asking = 0;
      void this._ask();
    };
    if (this._inFlight) {
      // What is typed until then is asked about as well.
      this._asking = window.setTimeout(ask, this._pause);
      return;
    }
    // Not after what was typed is painted: the server works meanwhile.
    this._asking = AT_ONCE;
    queueMicrotask(() => {
      if (this._asking === AT_ONCE) {
        ask();
      }
    });
  }

  /** Ask the server, unless it was asked the same thing before. Never rejects. */
  private async _ask(): Promise<void> {
    const { notebook } = this._current;
    const model = notebook?.model;
    if (!notebook || !model || this._isDisposed) {
      return;
    }
    if (debuggedBy(model)) {
      this._update({ pipeline: NO_PIPELINE, error: '', pending: false });
      return;
    }
    const { notebook: question, sources } = this._texts.of(model);
    if (question === this._asked) {
      return;
    }
    this._asked = question;
    this._abort?.abort();
    window.clearTimeout(this._retry);
    window.clearTimeout(this._withheld);
    const abort = (this._abort = new AbortController());
    this._inFlight = true;
    const started = performance.now();
    try {
      const name = notebook.context.path.split('/').pop() ?? '';
      const asking = this._compile(name, question, abort.signal);
      this._update({ pending: true });
      const answer = await asking;
      if (!abort.signal.aborted) {
        this._inFlight = false;
        this._pause = Math.min(
          LONGEST_PAUSE,
          Math.max(SHORTEST_PAUSE, (performance.now() - started) / 2)
        );
        const pipeline = withoutEmptyCells(answer, sources);
        // Always another object: a new answer. What is drawn is in its parts.
        this._show({ ...shared(this._current.pipeline, pipeline) });
      }
    } catch (error) {
      if (!abort.signal.aborted) {
        this._inFlight = false;
        this._fail(error);
      }
    }
  }

  /** An unfinished line is wrong at every key: that waits for a pause, and so does what depends on it. */
  private _show(pipeline: IPipeline): void {
    const show = (): void => {
      this._update({ pipeline, error: '', pending: false });
    };
    const { pipeline: before, activeCell } = this._current;
    if (before && isWorse(before, pipeline, activeCell)) {
      this._withheld = window.setTimeout(show, UNFINISHED);
    } else {
      show();
    }
  }

  private _fail(error: unknown): void {
    const message =
      error instanceof ApiError
        ? error.message
        : `The answer cannot be understood: ${String(error)}`;
    this._update({ error: message, pending: false });
    this._retry = window.setTimeout(() => {
      void this.refresh();
    }, this._retryAfter);
  }

  private _update(change: Partial<ICompilation>): void {
    this._current = { ...this._current, ...change };
    this._changed.emit(this._current);
  }

  private readonly _compile: Compile;
  private readonly _retryAfter: number;
  private readonly _tracker: INotebookTracker;
  private readonly _changed = new Signal<this, ICompilation>(this);
  private _abort: AbortController | null = null;
  private _asked = '';
  private _asking = 0;
  private _current: ICompilation = NOTHING;
  private _inFlight = false;
  private _isDisposed = false;
  private readonly _texts = new Texts();
  private _pause = SHORTEST_PAUSE;
  private _retry = 0;
  private _withheld = 0;
}

export namespace Compiler {
  export interface IOptions {
    tracker: INotebookTracker;
    compile: Compile;
    /** How long to wait before asking again after a failure, in milliseconds. */
    retryAfter?: number;
  }
}
