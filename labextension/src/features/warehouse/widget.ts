/** The browser of the warehouse as a widget. What is in it is loaded when it is first shown. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { Message } from '@lumino/messaging';
import * as React from 'react';
import type { IRecords } from '../../tokens';
import type { Warehouse } from './view';

export interface IWarehouseProps {
  records: IRecords;
  commands: CommandRegistry;
  trans: TranslationBundle;
}

export class WarehousePanel extends ReactWidget {
  constructor(private readonly _props: IWarehouseProps) {
    super();
    this.id = 'jupyter-pipelines-warehouse';
    this.addClass('jp-Pipelines-warehouse');
    this.node.tabIndex = -1;
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', this._props.trans.__('Warehouse'));
  }

  protected override onBeforeShow(message: Message): void {
    super.onBeforeShow(message);
    this._loaded ??= import('./view').then(view => {
      this._view = view.Warehouse;
      this.update();
    });
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.update();
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this.update();
  }

  protected override render(): React.JSX.Element | null {
    // Hidden, it asks the server for nothing: that would have the warehouse opened.
    return this._view && this.isVisible
      ? React.createElement(this._view, this._props)
      : null;
  }

  private _loaded: Promise<void> | null = null;
  private _view: typeof Warehouse | null = null;
}
