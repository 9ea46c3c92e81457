/** What was filled in for the next run of each notebook; it outlives the page. */
import type { IStateDB } from '@jupyterlab/statedb';
import { type ISignal, Signal } from '@lumino/signaling';
import type { AllGiven, Given, IParameterValues } from '../../tokens';
import { withGiven } from './model';

const KEY = 'jupyter-pipelines:parameters';
const NOTHING: AllGiven = {};

function asGiven(stored: unknown): AllGiven {
  const entries = Object.entries(stored ?? {}) as [string, unknown][];
  return Object.fromEntries(
    entries.filter(
      (entry): entry is [string, Given] =>
        entry[1] === null || typeof entry[1] === 'string'
    )
  );
}

/** See {@link IParameterValues}. */
export class ParameterValues implements IParameterValues {
  constructor(private readonly _state: IStateDB | null) {
    this.ready = this._load();
  }

  /** When what was kept is there. */
  readonly ready: Promise<void>;

  get changed(): ISignal<this, string> {
    return this._changed;
  }

  of(notebook: string): AllGiven {
    return this._given.get(notebook) ?? NOTHING;
  }

  give(
    notebook: string,
    name: string,
    given: Given | undefined,
    secret = false
  ): void {
    if (secret) {
      this._secrets.add(`${notebook}\n${name}`);
    }
    this._set(notebook, withGiven(this.of(notebook), name, given));
  }

  reset(notebook: string): void {
    this._set(notebook, NOTHING);
  }

  move(from: string, to: string): void {
    const given = this._given.get(from);
    if (given && from !== to) {
      this._set(from, NOTHING);
      this._set(to, given);
    }
  }

  private _set(notebook: string, given: AllGiven): void {
    if (Object.keys(given).length > 0) {
      this._given.set(notebook, given);
    } else {
      this._given.delete(notebook);
    }
    this._save();
    this._changed.emit(notebook);
  }

  private async _load(): Promise<void> {
    const stored = await this._state?.fetch(KEY).catch(() => undefined);
    for (const [notebook, given] of Object.entries(stored ?? {})) {
      // What was typed meanwhile is newer.
      if (!this._given.has(notebook)) {
        this._given.set(notebook, asGiven(given));
        this._changed.emit(notebook);
      }
    }
  }

  /** Secrets are remembered while the page is open, and written nowhere. */
  private _save(): void {
    const kept: Record<string, AllGiven> = {};
    for (const [notebook, given] of this._given) {
      kept[notebook] = Object.fromEntries(
        Object.entries(given).filter(
          ([name]) => !this._secrets.has(`${notebook}\n${name}`)
        )
      );
    }
    void this._state?.save(KEY, kept).catch(() => undefined);
  }

  private readonly _changed = new Signal<this, string>(this);
  private readonly _given = new Map<string, AllGiven>();
  private readonly _secrets = new Set<string>();
}
