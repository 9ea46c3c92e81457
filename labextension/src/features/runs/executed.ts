/** Executed notebooks as files of a drive of their own: opened like any notebook, wherever they are, and only to read. */
import type { Contents, ServerConnection } from '@jupyterlab/services';
import { type ISignal, Signal } from '@lumino/signaling';
import { type Api, ApiError, type IRun } from '../../api';
import { instant } from '../../ui/time';

export const DRIVE = 'pipeline-run';

/** The path of a run's executed notebook; its name tells it from the notebook that was run. */
export function pathOfExecuted(
  run: Pick<IRun, 'id' | 'notebook' | 'name'>
): string {
  const name = (run.notebook ?? run.name).split('/').pop() ?? '';
  return `${DRIVE}:${run.id}/${name.replace(/\.ipynb$/, '')} · run ${run.id.slice(0, 8)}.ipynb`;
}

export class ExecutedDrive implements Contents.IDrive {
  constructor(private readonly _api: Api) {}

  readonly name = DRIVE;

  get serverSettings(): ServerConnection.ISettings {
    return this._api.settings;
  }

  get fileChanged(): ISignal<this, Contents.IChangedArgs> {
    return this._fileChanged;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    Signal.clearData(this);
  }

  async get(
    localPath: string,
    options?: Contents.IFetchOptions
  ): Promise<Contents.IModel> {
    const [id = '', ...rest] = localPath.split('/');
    const run = await this._api.run(id);
    const time = (
      instant(run.ended || run.started) ?? new Date(0)
    ).toISOString();
    return {
      name: rest.join('/'),
      path: localPath,
      type: 'notebook',
      format: options?.content === false ? null : 'json',
      content:
        options?.content === false
          ? null
          : (await this._api.runNotebook(id)).content,
      mimetype: '',
      writable: false,
      created: time,
      last_modified: time
    };
  }

  getDownloadUrl(): Promise<string> {
    return this._refuse();
  }

  newUntitled(): Promise<Contents.IModel> {
    return this._refuse();
  }

  delete(): Promise<void> {
    return this._refuse();
  }

  rename(): Promise<Contents.IModel> {
    return this._refuse();
  }

  save(): Promise<Contents.IModel> {
    return this._refuse();
  }

  copy(): Promise<Contents.IModel> {
    return this._refuse();
  }

  createCheckpoint(): Promise<Contents.ICheckpointModel> {
    return this._refuse();
  }

  listCheckpoints(): Promise<Contents.ICheckpointModel[]> {
    return Promise.resolve([]);
  }

  restoreCheckpoint(): Promise<void> {
    return this._refuse();
  }

  deleteCheckpoint(): Promise<void> {
    return this._refuse();
  }

  private _refuse(): Promise<never> {
    return Promise.reject(
      new ApiError('What a run has executed is a record: it can be read only.')
    );
  }

  private readonly _fileChanged = new Signal<this, Contents.IChangedArgs>(this);
  private _isDisposed = false;
}
