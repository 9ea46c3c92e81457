/** How far the open notebook is from what is published of it, while its author edits. */
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { IDisposable } from '@lumino/disposable';
import { Debouncer } from '@lumino/polling';
import { type ISignal, Signal } from '@lumino/signaling';
import type { TranslationBundle } from '@jupyterlab/translation';
import {
  type Api,
  asApiError,
  type IDrift,
  type IPipelineSummary,
  type IVersionDiff
} from '../../api';
import type { ICompiler, IDriftState, IDrifts, IRecords } from '../../tokens';
import { withoutOutputs } from '../compilation/model';

const PAUSE = 300; // milliseconds

const NOTHING: IDriftState = { path: '', drift: null, error: null };

/** How many changes there are to publish: cells, files, and the notebook's settings as one. */
export function countChanges(drift: IDrift): number {
  return drift.cells.length + drift.files.length + (drift.settings ? 1 : 0);
}

/** `3 cells changed`, `2 files changed`, … */
export function changesInWords(
  drift: IDrift,
  trans: TranslationBundle
): string {
  const { cells, files, settings } = drift;
  return [
    cells.length > 0
      ? trans._n('%1 cell changed', '%1 cells changed', cells.length)
      : '',
    files.length > 0
      ? trans._n('%1 file changed', '%1 files changed', files.length)
      : '',
    settings ? trans.__('settings changed') : ''
  ]
    .filter(part => part !== '')
    .join(' · ');
}

/** Is there nothing at all between the two? */
export function isEmpty(diff: IVersionDiff): boolean {
  const { cells, parameters, options, files, environment } = diff;
  return [cells, parameters, options, files, environment].every(
    part => part.length === 0
  );
}

/** A line of a diff without its sign, and what happened to it. */
export function lineOf(line: string): {
  kind: 'added' | 'removed' | 'same' | 'gap';
  text: string;
} {
  const text = line.slice(1);
  switch (line[0]) {
    case '+':
      return { kind: 'added', text };
    case '-':
      return { kind: 'removed', text };
    case '@':
      return { kind: 'gap', text: '' };
    default:
      return { kind: 'same', text };
  }
}

/** See {@link IDrifts}. */
export class Drifts implements IDrifts, IDisposable {
  constructor(
    private readonly _compiler: ICompiler,
    records: IRecords,
    pause = PAUSE
  ) {
    this._api = records.api;
    this._debouncer = new Debouncer(() => this.refresh(), pause);
    _compiler.changed.connect(this._onCompiled, this);
    records.events.received.connect(this._onEvent, this);
    this._onCompiled();
  }

  get current(): IDriftState {
    return this._current;
  }

  get changed(): ISignal<this, IDriftState> {
    return this._changed;
  }

  get changedCells(): ReadonlySet<number> {
    return this._changedCells;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      this._abort?.abort();
      this._debouncer.dispose();
      Signal.clearData(this);
    }
  }

  async refresh(): Promise<void> {
    const notebook = this._notebook;
    if (!notebook?.model || this._isDisposed) {
      return;
    }
    this._abort?.abort();
    const abort = (this._abort = new AbortController());
    const path = notebook.context.localPath;
    try {
      const content = withoutOutputs(notebook.model);
      const drift = await this._api.drift(path, content, abort.signal);
      if (!abort.signal.aborted) {
        this._set({ path, drift, error: null });
      }
    } catch (error) {
      if (!abort.signal.aborted) {
        this._set({ ...this._current, error: asApiError(error) });
      }
    }
  }

  private _onCompiled(): void {
    const { notebook, pipeline } = this._compiler.current;
    const path = notebook?.context.localPath ?? '';
    if (notebook !== this._notebook || path !== this._current.path) {
      this._notebook = notebook;
      this._pipeline = null;
      this._abort?.abort();
      this._set({ ...NOTHING, path });
    }
    // A new answer of the compiler means that the author changed something.
    if (pipeline !== this._pipeline) {
      this._pipeline = pipeline;
      const { drift } = this._current;
      // Until something is published, editing leads away from nothing.
      if (!drift || drift.version !== '') {
        this._soon();
      }
    }
  }

  private _onEvent(
    _: unknown,
    event: { kind: string; notebook: string | null }
  ): void {
    const concerns =
      event.kind === 'version' && event.notebook === this._current.path;
    if (concerns || event.kind === 'hello' || event.kind === 'reset') {
      this._soon();
    }
  }

  private _soon(): void {
    void this._debouncer.invoke().catch(() => undefined);
  }

  private _set(state: IDriftState): void {
    this._current = state;
    this._changedCells = new Set(
      state.drift?.cells.flatMap(({ number }) => number ?? []) ?? []
    );
    this._changed.emit(state);
  }

  private readonly _api: Api;
  private readonly _changed = new Signal<this, IDriftState>(this);
  private readonly _debouncer: Debouncer;
  private _abort: AbortController | null = null;
  private _changedCells: ReadonlySet<number> = new Set();
  private _current: IDriftState = NOTHING;
  private _isDisposed = false;
  private _notebook: NotebookPanel | null = null;
  private _pipeline: unknown = null;
}

/** The notebooks whose versions one could go on with that has none: those that are gone, which it may have been, first. */
export function othersToContinue(
  pipelines: readonly IPipelineSummary[],
  notebook: string
): string[] {
  return pipelines
    .filter(other => other.version !== null && other.notebook !== notebook)
    .sort((a, b) => Number(b.missing) - Number(a.missing))
    .map(other => other.notebook);
}
