/** Everything that can be asked of the server, a method each. All reject with an `ApiError`. */
import type { ServerConnection } from '@jupyterlab/services';
import { type JSONObject, UUID } from '@lumino/coreutils';
import { path, request } from './request';
import type * as t from './types';

type Signal = AbortSignal | null;

/** Which of a longer list: `next` of the last answer continues it. */
interface IPage {
  limit?: number;
  after?: string;
}

export class Api {
  constructor(readonly settings: ServerConnection.ISettings) {}

  // ---- What a notebook means ----

  /** Compile a notebook as it stands in an editor; one that is JSON text already is sent as it is. */
  compile(
    name: string,
    notebook: JSONObject | string,
    signal: Signal = null
  ): Promise<t.IPipeline> {
    const text =
      typeof notebook === 'string' ? notebook : JSON.stringify(notebook);
    const body = `{"name":${JSON.stringify(name)},"notebook":${text}}`;
    return this._post('compile', body, { signal });
  }

  /** Of which columns the tables are made that a notebook builds. */
  lineage(
    name: string,
    notebook: JSONObject,
    signal: Signal = null
  ): Promise<t.ILineage> {
    return this._post('lineage', { name, notebook }, { signal });
  }

  /** Steps for a notebook that names none. */
  suggest(name: string, notebook: JSONObject): Promise<t.ISuggestion> {
    return this._post('suggest', { name, notebook });
  }

  /** The Python expression that tells what variables in a kernel are. */
  async inspection(names: readonly string[]): Promise<string> {
    const answer = await this._post<{ expression: string }>('inspection', {
      names
    });
    return answer.expression;
  }

  // ---- Runs ----

  async runs(
    filter: t.IRunFilter = {},
    signal: Signal = null
  ): Promise<{ runs: t.IRun[]; next: string | null }> {
    return request(this.settings, 'runs', { query: { ...filter }, signal });
  }

  run(id: string, signal: Signal = null): Promise<t.IRun> {
    return request(this.settings, path('runs', id), { signal });
  }

  async runSteps(id: string, signal: Signal = null): Promise<t.IRunStep[]> {
    return this._all<t.IRunStep>(
      path('runs', id, 'steps'),
      'steps',
      {},
      signal
    );
  }

  /** The executed notebook; `path` where it is below the server's root directory. */
  runNotebook(
    id: string
  ): Promise<{ path: string | null; content: JSONObject }> {
    return request(this.settings, path('runs', id, 'notebook'));
  }

  /** How a run went, and what it has printed, as text. */
  runLog(id: string, signal: Signal = null): Promise<t.ILogLine[]> {
    return this._all<t.ILogLine>(path('runs', id, 'log'), 'lines', {}, signal);
  }

  /** Have the service run a notebook now. */
  submit(asked: t.IRunRequest): Promise<t.IRun> {
    return this._post('runs', asked, { key: UUID.uuid4() });
  }

  cancelRun(id: string): Promise<t.IRun> {
    return this._post(path('runs', id, 'cancel'));
  }

  /** Continue a run that did not complete, as a new run. */
  resumeRun(id: string): Promise<t.IRun> {
    return this._post(path('runs', id, 'resume'), {}, { key: UUID.uuid4() });
  }

  /** Does cleaning leave a run alone? */
  async isKept(id: string, signal: Signal = null): Promise<boolean> {
    const { keep } = await request<{ keep: boolean }>(
      this.settings,
      path('runs', id, 'keep'),
      { signal }
    );
    return keep;
  }

  keepRun(id: string, keep: boolean): Promise<{ keep: boolean }> {
    return request(this.settings, path('runs', id, 'keep'), {
      method: 'PUT',
      body: { keep }
    });
  }

  /** A notebook that brings back what a step had when it began. */
  debugStep(
    run: string,
    step: string
  ): Promise<{ path: string; step: string; is_new: boolean }> {
    return this._post(path('runs', run, 'debug'), { step });
  }

  // ---- Versions ----

  /** All of them, newest first. */
  versions(notebook: string, signal: Signal = null): Promise<t.IVersion[]> {
    return this._all('versions', 'versions', { notebook }, signal);
  }

  /** `continuing` is the notebook whose versions go on with this one. */
  publish(
    notebook: string,
    message: string,
    continuing = ''
  ): Promise<t.IVersion> {
    return this._post('versions', {
      notebook,
      message,
      ...(continuing ? { continuing } : {})
    });
  }

  versionDiff(
    version: string,
    notebook: string,
    to?: string,
    signal: Signal = null
  ): Promise<t.IVersionDiff> {
    return request(this.settings, path('versions', version, 'diff'), {
      query: { notebook, to },
      signal
    });
  }

  /** A version, and the notebook as it stands in the editor. */
  review(
    version: string,
    notebook: string,
    content: JSONObject,
    signal: Signal = null
  ): Promise<t.IVersionDiff> {
    const body = { notebook, content };
    return this._post(path('versions', version, 'diff'), body, { signal });
  }

  rollback(
    version: string,
    notebook: string,
    message: string
  ): Promise<t.IVersion> {
    return this._post(path('versions', version, 'rollback'), {
      notebook,
      message
    });
  }

  pin(version: string, notebook: string, message: string): Promise<t.IVersion> {
    return this._post(path('versions', version, 'pin'), { notebook, message });
  }

  unpin(notebook: string): Promise<t.IVersion> {
    return this._post('versions/unpin', { notebook });
  }

  /** How far a notebook, as it stands in an editor, is from its published version. */
  drift(
    notebook: string,
    content: JSONObject,
    signal: Signal = null
  ): Promise<t.IDrift> {
    return this._post('drift', { notebook, content }, { signal });
  }

  // ---- The warehouse ----

  async tables(signal: Signal = null): Promise<t.ITable[]> {
    const answer = await request<{ tables: t.ITable[] }>(
      this.settings,
      'warehouse/tables',
      { signal }
    );
    return answer.tables;
  }

  table(
    schema: string,
    name: string,
    signal: Signal = null
  ): Promise<t.ITableDetails> {
    return request(this.settings, path('warehouse', 'tables', schema, name), {
      signal
    });
  }

  async sources(signal: Signal = null): Promise<t.ISource[]> {
    const answer = await request<{ sources: t.ISource[] }>(
      this.settings,
      'warehouse/sources',
      { signal }
    );
    return answer.sources;
  }

  /** What can be read of a source, as SQL names it. */
  async sourceTables(source: string, signal: Signal = null): Promise<string[]> {
    const answer = await request<{ tables: string[] }>(
      this.settings,
      path('warehouse', 'sources', source, 'tables'),
      { signal }
    );
    return answer.tables;
  }

  async sourceColumns(
    source: string,
    table: string,
    signal: Signal = null
  ): Promise<t.IColumn[]> {
    const answer = await request<{ columns: t.IColumn[] }>(
      this.settings,
      path('warehouse', 'sources', source, 'tables', table),
      { signal }
    );
    return answer.columns;
  }

  // ---- Schedules ----

  schedules(notebook?: string, signal: Signal = null): Promise<t.ISchedule[]> {
    return this._all('schedules', 'schedules', { notebook }, signal);
  }

  /** How the times of a schedule are understood; needs no notebook. */
  previewSchedule(
    asked: Omit<
      t.IScheduleRequest,
      | 'notebook'
      | 'name'
      | 'parameters'
      | 'version'
      | 'follow'
      | 'ref'
      | 'verify'
    > & { count?: number },
    signal: Signal = null
  ): Promise<t.IPreview> {
    return this._post('schedules/preview', asked, { signal });
  }

  /** Check all about a schedule as when it is made. */
  checkSchedule(
    asked: t.IScheduleRequest,
    signal: Signal = null
  ): Promise<t.IPreview> {
    return this._post('schedules/check', asked, { signal });
  }

  addSchedule(asked: t.IScheduleRequest, key: string): Promise<t.ISchedule> {
    return this._post('schedules', asked, { key });
  }

  changeSchedule(id: string, asked: t.IScheduleRequest): Promise<t.ISchedule> {
    return request(this.settings, path('schedules', id), {
      method: 'PUT',
      body: asked
    });
  }

  removeSchedule(id: string): Promise<t.ISchedule> {
    return this._delete(path('schedules', id));
  }

  pauseSchedule(id: string, paused: boolean): Promise<t.ISchedule> {
    return this._post(path('schedules', id, paused ? 'pause' : 'unpause'));
  }

  /** Run its notebook now, with its parameters as they are at this moment. */
  runSchedule(id: string): Promise<t.IRun> {
    return this._post(path('schedules', id, 'run'), {}, { key: UUID.uuid4() });
  }

  // ---- Triggers ----

  triggers(notebook?: string, signal: Signal = null): Promise<t.ITrigger[]> {
    return this._all('triggers', 'triggers', { notebook }, signal);
  }

  addTrigger(
    asked: t.ITriggerRequest,
    key: string
  ): Promise<t.ITrigger & { token?: string }> {
    return this._post('triggers', asked, { key });
  }

  changeTrigger(id: string, asked: t.ITriggerRequest): Promise<t.ITrigger> {
    return request(this.settings, path('triggers', id), {
      method: 'PUT',
      body: asked
    });
  }

  removeTrigger(id: string): Promise<t.ITrigger> {
    return this._delete(path('triggers', id));
  }

  pauseTrigger(id: string, paused: boolean): Promise<t.ITrigger> {
    return this._post(path('triggers', id, paused ? 'pause' : 'unpause'));
  }

  // ---- Backfills ----

  backfills(notebook?: string, signal: Signal = null): Promise<t.IBackfill[]> {
    return this._all('backfills', 'backfills', { notebook }, signal);
  }

  backfill(id: string, signal: Signal = null): Promise<t.IBackfillDetail> {
    return request(this.settings, path('backfills', id), { signal });
  }

  backfillWindows(
    id: string,
    page: IPage = {},
    signal: Signal = null
  ): Promise<{ windows: t.IBackfillWindow[]; next: string | null }> {
    return request(this.settings, path('backfills', id, 'windows'), {
      query: { ...page },
      signal
    });
  }

  /** What a backfill would do; nothing is kept. */
  previewBackfill(
    asked: t.IBackfillRequest,
    signal: Signal = null
  ): Promise<t.IBackfillDetail> {
    return this._post('backfills/preview', asked, { signal });
  }

  addBackfill(asked: t.IBackfillRequest): Promise<t.IBackfillDetail> {
    return this._post('backfills', asked);
  }

  pauseBackfill(id: string): Promise<t.IBackfill> {
    return this._post(path('backfills', id, 'pause'));
  }

  /** Go on: what failed is tried again, or given up. */
  resumeBackfill(id: string, skipFailed = false): Promise<t.IBackfill> {
    return this._post(path('backfills', id, 'resume'), {
      skip_failed: skipFailed
    });
  }

  cancelBackfill(id: string): Promise<t.IBackfill> {
    return this._post(path('backfills', id, 'cancel'));
  }

  // ---- Alerts ----

  /** Those of a notebook, and those of all notebooks. */
  alerts(notebook?: string, signal: Signal = null): Promise<t.IAlert[]> {
    return this._all('alerts', 'alerts', { notebook }, signal);
  }

  addAlert(asked: t.IAlertRequest, key: string): Promise<t.IAlert> {
    return this._post('alerts', asked, { key });
  }

  removeAlert(id: string): Promise<t.IAlert> {
    return this._delete(path('alerts', id));
  }

  /** Have one again that was removed a short while ago. */
  restoreAlert(id: string): Promise<t.IAlert> {
    return this._post(path('alerts', id, 'restore'));
  }

  /** Send a sample now, to the destination of an alert or to another. */
  tryAlert(asked: { alert: string } | { to: string }): Promise<t.IDelivery> {
    return this._post('alerts/try', asked);
  }

  // ---- Limits ----

  async limits(signal: Signal = null): Promise<t.ILimit[]> {
    const answer = await request<{ limits: t.ILimit[] }>(
      this.settings,
      'limits',
      { signal }
    );
    return answer.limits;
  }

  /**
   * How many runs of a notebook, or steps that need a resource, go on at once;
   * `null` for as many as there are.
   */
  setLimit(
    what: { notebook: string } | { resource: string },
    slots: number | null
  ): Promise<t.ILimit> {
    return request(this.settings, 'limits', {
      method: 'PUT',
      body: { ...what, slots }
    });
  }

  // ---- All pipelines, and the service ----

  pipelines(
    notebook?: string,
    signal: Signal = null
  ): Promise<t.IPipelineSummary[]> {
    return this._all('pipelines', 'pipelines', { notebook }, signal);
  }

  /** The notebook was moved: what is on record of it follows. */
  relink(notebook: string, to: string): Promise<unknown> {
    return this._post('pipelines/relink', { notebook, to });
  }

  /** Compare what a notebook gives as a pipeline with what "Restart & Run All" gives. */
  verify(
    notebook: string,
    parameters: JSONObject = {}
  ): Promise<t.IVerification> {
    return this._post('verifications', { notebook, parameters });
  }

  cancelVerification(id: string): Promise<t.IVerification> {
    return this._post(path('verifications', id, 'cancel'), {});
  }

  /** The comparisons of a notebook, newest first. */
  async verifications(
    notebook: string,
    signal: Signal = null
  ): Promise<t.IVerification[]> {
    const answer = await request<{ verifications: t.IVerification[] }>(
      this.settings,
      'verifications',
      { query: { notebook }, signal }
    );
    return answer.verifications;
  }

  /** How long the runs of a notebook, or of all, are kept. */
  retention(notebook?: string, signal: Signal = null): Promise<t.IRetention> {
    return request(this.settings, 'retention', { query: { notebook }, signal });
  }

  setRetention(
    limits: Partial<t.IRetention>,
    notebook?: string
  ): Promise<t.IRetention> {
    return request(this.settings, 'retention', {
      method: 'PUT',
      body: { ...limits, ...(notebook === undefined ? {} : { notebook }) }
    });
  }

  /** What would go by the limits on how long runs are kept, those of all notebooks. */
  garbage(): Promise<t.IFreed> {
    return request(this.settings, 'garbage');
  }

  removeGarbage(): Promise<t.IFreed> {
    return this._post('garbage/remove');
  }

  service(signal: Signal = null): Promise<t.IService> {
    return request(this.settings, 'service', { signal });
  }

  startService(): Promise<t.IService> {
    return this._post('service/start');
  }

  async serviceLog(
    part: 'service' | 'server' | 'worker',
    lines: number
  ): Promise<string[]> {
    const answer = await request<{ lines: string[] }>(
      this.settings,
      'service/log',
      { query: { part, lines } }
    );
    return answer.lines;
  }

  private _post<T>(
    endpoint: string,
    body: object | string = {},
    { signal = null, key = '' }: { signal?: Signal; key?: string } = {}
  ): Promise<T> {
    return request(this.settings, endpoint, {
      method: 'POST',
      body,
      signal,
      key
    });
  }

  private _delete<T>(endpoint: string): Promise<T> {
    return request(this.settings, endpoint, { method: 'DELETE' });
  }

  /** A whole list, page by page. */
  private async _all<T>(
    endpoint: string,
    name: string,
    query: { notebook?: string | undefined },
    signal: Signal
  ): Promise<T[]> {
    const all: T[] = [];
    let after: string | undefined;
    do {
      const answer: Record<string, unknown> = await request(
        this.settings,
        endpoint,
        { query: { ...query, after }, signal }
      );
      all.push(...(answer[name] as T[]));
      after = (answer.next as string | null) ?? undefined;
    } while (after !== undefined);
    return all;
  }
}
