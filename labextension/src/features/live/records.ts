/** What the server has on record, for all notebooks and for each. */
import type { Api, IEvent, IRun } from '../../api';
import type { ILive, INotebookRecords, IRecords } from '../../tokens';
import type { EventStream } from './events';
import { Live } from './live';

/** How many runs of a notebook are looked at beside it. */
export const RECENT_RUNS = 20;

/** See {@link IRecords}. */
export class Records implements IRecords {
  constructor(
    readonly api: Api,
    readonly events: EventStream
  ) {
    this.service = this._live(
      signal => api.service(signal),
      event => event.kind === 'service'
    );
    this.pipelines = this._live(
      signal => api.pipelines(undefined, signal),
      event => event.kind !== 'alert'
    );
    this.schedules = this._live(
      signal => api.schedules(undefined, signal),
      event => event.kind === 'schedule'
    );
  }

  of(notebook: string): INotebookRecords {
    const known = this._notebooks.get(notebook);
    if (known) {
      return known;
    }
    const records = this._recordsOf(notebook);
    this._notebooks.set(notebook, records);
    return records;
  }

  run(id: string): ILive<IRun> {
    return this._live(
      signal => this.api.run(id, signal),
      event => event.kind === 'run' && event.subject === id
    );
  }

  renew(): void {
    this.events.renew();
  }

  live<T>(
    fetch: (signal: AbortSignal) => Promise<T>,
    concerns: (event: IEvent) => boolean
  ): ILive<T> {
    return this._live(fetch, concerns);
  }

  private _recordsOf(notebook: string): INotebookRecords {
    const { api } = this;
    const about =
      (...kinds: IEvent['kind'][]) =>
      (event: IEvent): boolean =>
        kinds.includes(event.kind) &&
        (event.notebook === notebook || event.notebook === null);
    return {
      notebook,
      summary: this._live(
        async signal => (await api.pipelines(notebook, signal))[0] ?? null,
        about('run', 'schedule', 'trigger', 'version', 'service')
      ),
      runs: this._live(
        async signal =>
          (await api.runs({ notebook, limit: RECENT_RUNS }, signal)).runs,
        about('run')
      ),
      schedules: this._live(
        signal => api.schedules(notebook, signal),
        about('schedule', 'version')
      ),
      triggers: this._live(
        signal => api.triggers(notebook, signal),
        about('trigger')
      ),
      backfills: this._live(
        signal => api.backfills(notebook, signal),
        about('backfill')
      ),
      alerts: this._live(
        signal => api.alerts(notebook, signal),
        about('alert')
      ),
      versions: this._live(
        signal => api.versions(notebook, signal),
        about('version')
      )
    };
  }

  private _live<T>(
    fetch: (signal: AbortSignal) => Promise<T>,
    concerns: (event: IEvent) => boolean
  ): Live<T> {
    return new Live({ fetch, concerns, events: this.events });
  }

  readonly service;
  readonly pipelines;
  readonly schedules;
  private readonly _notebooks = new Map<string, INotebookRecords>();
}
