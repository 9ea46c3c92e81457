/** The panel as a widget. What is in it is loaded when it is first shown. */
import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import * as React from 'react';
import type { IPanelContext } from './context';
import type { Panel } from './view';

export class PipelinePanel extends ReactWidget {
  constructor(private readonly _context: IPanelContext) {
    super();
    this.id = 'jupyter-pipelines-panel';
    this.addClass('jp-Pipelines-panel');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', this._context.trans.__('Pipeline'));
  }

  protected override onBeforeShow(message: Message): void {
    super.onBeforeShow(message);
    if (!this._panel) {
      void import('./view').then(view => {
        this._panel = view.Panel;
        this.update();
      });
    }
  }

  protected override render(): React.JSX.Element | null {
    // Hidden, it asks the server for nothing.
    return this._panel && this.isVisible ? (
      <this._panel {...this._context} />
    ) : null;
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.update();
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this.update();
  }

  private _panel: typeof Panel | null = null;
}
