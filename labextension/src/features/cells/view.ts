/** The line above a cell that says what it is to the pipeline. */
import type { Cell, ICellModel } from '@jupyterlab/cells';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { INotebookModel, NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import { DisposableDelegate, type IDisposable } from '@lumino/disposable';
import { type PanelLayout, Widget } from '@lumino/widgets';
import type { ICompiler } from '../../tokens';
import { isTagged, type ITagged, readRole, readTags } from './model';

/** One badge. It is always in the cell, and takes no room when it has nothing to say. */
export class RoleBadge extends Widget {
  constructor(
    private readonly _model: ICellModel,
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-Pipelines-badge');
    this._model.metadataChanged.connect(this._onMetadata, this);
    this._refresh();
  }

  /** The step that the cell belongs to through the cells above it. */
  set inherited(step: string) {
    if (step !== this._inherited) {
      this._inherited = step;
      this._refresh();
    }
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this._model.metadataChanged.disconnect(this._onMetadata, this);
      super.dispose();
    }
  }

  private _onMetadata(_: unknown, change: { key: string }): void {
    if (change.key === 'tags') {
      this._refresh();
    }
  }

  private _refresh(): void {
    const own =
      this._model.type === 'code' ? readRole(readTags(this._model)) : null;
    const step = own ? '' : this._inherited;
    const text = own ? this._describe(own) : step;
    this.node.textContent = text;
    this.node.dataset.role = own?.role ?? (step ? 'inherited' : '');
    this.node.title = step
      ? this._trans.__('Belongs to step %1, begun above', step)
      : '';
    this.setHidden(text === '');
  }

  private _describe({ role, name }: ITagged): string {
    switch (role) {
      case 'step':
        return name;
      case 'setup':
        return this._trans.__('setup');
      case 'parameters':
        return this._trans.__('parameters');
      case 'skip':
        return this._trans.__('skipped');
    }
  }

  private _inherited = '';
}

/** Puts a badge in every cell of a notebook, and keeps what cells inherit up to date. */
class NotebookBadges implements IDisposable {
  constructor(
    private readonly _panel: NotebookPanel,
    private readonly _compiler: ICompiler,
    private readonly _trans: TranslationBundle
  ) {
    const { content } = this._panel;
    content.modelContentChanged.connect(this._sync, this);
    this._compiler.changed.connect(this._inherit, this);
    void this._panel.context.ready.then(() => {
      if (!this.isDisposed) {
        content.model?.cells.changed.connect(this._onCells, this);
        this._sync();
      }
    });
  }

  isDisposed = false;

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this.isDisposed = true;
    this._panel.content.modelContentChanged.disconnect(this._sync, this);
    this._panel.content.model?.cells.changed.disconnect(this._onCells, this);
    this._compiler.changed.disconnect(this._inherit, this);
    this._badges.forEach(badge => {
      badge.dispose();
    });
    this._badges.clear();
  }

  // The widget of an added cell exists only after the notebook has handled the change.
  private _onCells(): void {
    void Promise.resolve().then(() => {
      this._sync();
    });
  }

  private _sync(): void {
    if (this.isDisposed) {
      return;
    }
    for (const cell of this._panel.content.widgets) {
      if (!this._badges.has(cell)) {
        const badge = new RoleBadge(cell.model, this._trans);
        this._badges.set(cell, badge);
        (cell.layout as PanelLayout).insertWidget(0, badge);
        cell.disposed.connect(() => {
          this._badges.delete(cell);
        });
      }
    }
    this._inherit();
  }

  /** Tell cells without tags of their own which step they belong to, as the compiler sees it. */
  private _inherit(): void {
    const { notebook, pipeline } = this._compiler.current;
    const { model, widgets } = this._panel.content;
    if (notebook !== this._panel || !model || !pipeline) {
      return;
    }
    const steps = new Map<number, string>();
    // Without any tag all cells are one step, and nothing is learned from its name.
    for (const step of isTagged(model) ? pipeline.steps : []) {
      for (const cell of step.cells) {
        steps.set(cell, step.name);
      }
    }
    widgets.forEach((cell, index) => {
      const badge = this._badges.get(cell);
      if (badge && cell.model.type === 'code') {
        badge.inherited = steps.get(index + 1) ?? '';
      }
    });
  }

  private readonly _badges = new Map<Cell, RoleBadge>();
}

/** Gives every notebook its badges. */
export class BadgeExtension implements DocumentRegistry.IWidgetExtension<
  NotebookPanel,
  INotebookModel
> {
  constructor(
    private readonly _compiler: ICompiler,
    private readonly _trans: TranslationBundle
  ) {}

  createNew(panel: NotebookPanel): IDisposable {
    const badges = new NotebookBadges(panel, this._compiler, this._trans);
    return new DisposableDelegate(() => {
      badges.dispose();
    });
  }
}
