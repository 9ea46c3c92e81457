/** What is being written of schedules: kept for each notebook until it is saved or given up, also over a reload. */
import type { IStateDB } from '@jupyterlab/statedb';
import { type ReadonlyPartialJSONValue, Token } from '@lumino/coreutils';
import { Debouncer } from '@lumino/polling';
import { type ISignal, Signal } from '@lumino/signaling';
import type { ISettings } from '../../tokens';
import { withoutSecrets } from '../parameters/model';
import { DEFAULTS, type IDefaults, type IDraft, newDraft } from './model';

const PLACE = 'jupyter-pipelines:schedule-drafts';
/** Milliseconds from a change until it is written down. */
const WRITE_AFTER = 400;

export class ScheduleDrafts {
  constructor(
    private readonly _state: IStateDB | null = null,
    private readonly _settings: ISettings | null = null
  ) {}

  /** What new ones begin with. */
  get defaults(): IDefaults {
    return this._settings?.value ?? DEFAULTS;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Bring back what was there before the page was loaded; once. */
  restore(): Promise<void> {
    return (this._restored ??= this._restore());
  }

  private async _restore(): Promise<void> {
    const found = await this._state?.fetch(PLACE).catch(() => undefined);
    if (typeof found === 'object' && found !== null) {
      for (const [notebook, draft] of Object.entries(found)) {
        if (!this._drafts.has(notebook)) {
          // What an older version of ours wrote may lack something.
          this._drafts.set(notebook, { ...newDraft(), ...(draft as object) });
        }
      }
      this._changed.emit();
    }
  }

  of(notebook: string): IDraft | null {
    return this._drafts.get(notebook) ?? null;
  }

  set(notebook: string, draft: IDraft | null): void {
    if (draft) {
      this._drafts.set(notebook, draft);
    } else {
      this._drafts.delete(notebook);
    }
    this._changed.emit();
    void this._writing.invoke();
  }

  /** Open the form, with what is in it already, and have it take the focus. */
  begin(notebook: string, draft?: IDraft): void {
    this._wanted = notebook;
    this.set(notebook, draft ?? this.of(notebook) ?? newDraft(this.defaults));
  }

  /** Is the form of this notebook to take the focus? Says so once. */
  takeFocus(notebook: string): boolean {
    const wanted = this._wanted === notebook;
    if (wanted) {
      this._wanted = '';
    }
    return wanted;
  }

  private _restored: Promise<void> | null = null;
  private _wanted = '';
  private readonly _changed = new Signal<this, void>(this);
  private readonly _drafts = new Map<string, IDraft>();
  private readonly _writing = new Debouncer(async () => {
    const all = Object.fromEntries(
      [...this._drafts].map(([path, draft]) => [path, withoutSecrets(draft)])
    );
    await this._state?.save(PLACE, all as unknown as ReadonlyPartialJSONValue);
  }, WRITE_AFTER);
}

export const IScheduleDrafts = new Token<ScheduleDrafts>(
  'jupyter-pipelines:IScheduleDrafts',
  'What is being written of schedules, until it is saved.'
);
