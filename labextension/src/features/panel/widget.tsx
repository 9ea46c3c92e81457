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
    this.node.tabIndex = -1;
    this.node.setAttribute('aria-label', this._context.trans.__('Pipeline'));
  }

  protected override onBeforeShow(message: Message): void {
    super.onBeforeShow(message);
    if (!this._panel) {
      this._loaded ??= import('./view').then(view => {
        this._panel = view.Panel;
        this.update();
      });
    }
  }

  /** Put the focus on the panel, or into the first field of a section. The panel must be shown. */
  async reveal(section: string): Promise<void> {
    await this._loaded;
    await this.renderPromise;
    const frame = section
      ? this.node.querySelector(`[data-section="${CSS.escape(section)}"]`)
      : null;
    frame?.querySelector('details')?.setAttribute('open', '');
    if (frame) {
      this._bringUp(frame);
    }
    const field = frame?.querySelector<HTMLElement>(
      'input, select, textarea, button, summary'
    );
    (field ?? this.node).focus();
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

  /** Its end may be far below, and is not there yet: what is read first is its beginning. */
  private _bringUp(frame: Element): void {
    const header = this.node.querySelector('.jp-Pipelines-header');
    const top = (header ?? this.node).getBoundingClientRect();
    this.node.scrollTop +=
      frame.getBoundingClientRect().top - (header ? top.bottom : top.top);
  }

  private _loaded: Promise<void> | null = null;
  private _panel: typeof Panel | null = null;
}
