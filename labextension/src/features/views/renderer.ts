/** Outputs that are a widget while their kernel lives, and readable HTML ever after. */
import type { ISessionContext } from '@jupyterlab/apputils';
import type { IRenderMime, IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { Panel } from '@lumino/widgets';

/** Marks an output of ours: beside it are the widget's MIME type, and HTML. */
export const VIEW = 'application/vnd.jupyter-pipelines.view+json';
const WIDGET = 'application/vnd.jupyter.widget-view+json';
const HTML = 'text/html';
const GONE = new Set(['restarting', 'autorestarting', 'terminating', 'dead']);

/**
 * Shows the widget if the kernel has it, else the HTML. The renderer of widgets alone would say "model not found" where
 * the notebook was opened again, and go on showing buttons that do nothing where the kernel was restarted.
 */
export class ViewRenderer extends Panel implements IRenderMime.IRenderer {
  constructor(
    private _session: ISessionContext,
    private _rendermime: IRenderMimeRegistry
  ) {
    super();
    _session.kernelChanged.connect(this._onKernel, this);
    _session.statusChanged.connect(this._onStatus, this);
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this._model = model;
    this._shown = '';
    await this._look();
  }

  override dispose(): void {
    this._session.kernelChanged.disconnect(this._onKernel, this);
    this._session.statusChanged.disconnect(this._onStatus, this);
    super.dispose();
  }

  private _onKernel(): void {
    void this._look();
  }

  private _onStatus(_: ISessionContext, status: string): void {
    if (GONE.has(status)) {
      void this._show(HTML);
    }
  }

  private async _look(): Promise<void> {
    const kernel = this._session.session?.kernel;
    const id = this._id;
    if (kernel?.hasComm(id)) {
      return this._show(WIDGET);
    }
    await this._show(HTML);
    if (!kernel || !id) {
      return;
    }
    const known = await kernel
      .requestCommInfo({ target_name: 'jupyter.widget' })
      // A kernel that goes away meanwhile has no widgets.
      .catch(() => null);
    const isNow =
      !this.isDisposed &&
      id === this._id &&
      kernel === this._session.session?.kernel;
    if (isNow && known?.content.status === 'ok' && id in known.content.comms) {
      await this._show(WIDGET);
    }
  }

  private async _show(mimeType: string): Promise<void> {
    if (!this._model || this._shown === mimeType || this.isDisposed) {
      return;
    }
    this._shown = mimeType;
    for (const one of [...this.widgets]) {
      one.dispose();
    }
    const shown = this._rendermime.createRenderer(mimeType);
    this.addWidget(shown);
    await shown.renderModel(this._model);
  }

  private get _id(): string {
    const view = this._model?.data[WIDGET] as { model_id?: string } | undefined;
    return view?.model_id ?? '';
  }

  private _model: IRenderMime.IMimeModel | null = null;
  private _shown = '';
}
