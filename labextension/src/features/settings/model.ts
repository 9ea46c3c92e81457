/** What the user set for all notebooks. */
import { Notification } from '@jupyterlab/apputils';
import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import { type ISignal, Signal } from '@lumino/signaling';
import { asApiError, type Missed, type Overlap } from '../../api';
import type { ISettings, ISettingValues } from '../../tokens';

const DEFAULTS: ISettingValues = {
  pills: true,
  magics: false,
  timezone: '',
  missed: 'latest',
  overlap: 'queue'
};

/** How long runs are kept, as the server wants it; `null` sets no limit. */
type SetRetention = (limits: {
  keep_runs: number | null;
  keep_days: number | null;
}) => Promise<void>;

/** See {@link ISettings}. */
export class Settings implements ISettings {
  constructor(
    loading: Promise<ISettingRegistry.ISettings> | null,
    private readonly _setRetention: SetRetention
  ) {
    // Without the schema (a page that has none) the defaults hold.
    loading?.then(
      settings => {
        this._read(settings);
        this._retention = this._retentionOf(settings);
        settings.changed.connect(this._onChanged, this);
      },
      () => undefined
    );
  }

  get value(): ISettingValues {
    return this._value;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  private _onChanged(settings: ISettingRegistry.ISettings): void {
    this._read(settings);
    // Retention is the server's: it is told when the user changes it, never because a page was opened.
    const retention = this._retentionOf(settings);
    if (retention !== this._retention) {
      this._retention = retention;
      const { keepRuns, keepDays } = settings.composite;
      this._setRetention({
        keep_runs: Number(keepRuns) || null,
        keep_days: Number(keepDays) || null
      }).catch((error: unknown) => {
        Notification.error(asApiError(error).message);
      });
    }
  }

  private _retentionOf(settings: ISettingRegistry.ISettings): string {
    const { composite } = settings;
    return JSON.stringify([composite.keepRuns ?? 0, composite.keepDays ?? 0]);
  }

  private _read({ composite }: ISettingRegistry.ISettings): void {
    this._value = {
      pills: composite.pills !== false,
      magics: composite.magics === true,
      timezone:
        typeof composite.timezone === 'string' ? composite.timezone : '',
      missed: (composite.missed as Missed | undefined) ?? DEFAULTS.missed,
      overlap: (composite.overlap as Overlap | undefined) ?? DEFAULTS.overlap
    };
    this._changed.emit();
  }

  private readonly _changed = new Signal<this, void>(this);
  private _retention = '';
  private _value = DEFAULTS;
}
