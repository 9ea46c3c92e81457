/** The line above a cell that says what it is to the pipeline, and where that is changed. */
import type { ICellModel } from '@jupyterlab/cells';
import type { TranslationBundle } from '@jupyterlab/translation';
import { checkIcon, closeIcon, settingsIcon } from '@jupyterlab/ui-components';
import type { LabIcon } from '@jupyterlab/ui-components';
import { Panel, Widget } from '@lumino/widgets';
import type { IProposal, IStepBrief } from '../../api';
import {
  duration,
  instant,
  relative,
  stepColour,
  toneIconNode,
  toneOf,
  wordOf
} from '../../ui';
import { tookOf } from '../steps/model';
import { type IMark, NO_MARK } from './marks';
import { type ITagged, readMagic, readRole, readTags } from './model';

/** What can be begun at a pill. */
export type Gesture = 'tag' | 'options' | 'accept' | 'reject';

/** All that a pill shows besides what the cell itself says. */
export interface IPillState {
  mark: IMark;
  /** How the step was last; shown at its first cell. */
  last: IStepBrief | null;
  /** Is the cell another since the notebook was published? */
  changed: boolean;
  /** What it would be, if a suggestion was accepted. */
  proposal: IProposal | null;
  /** The position of the proposed step among those that are proposed. */
  proposedOrder: number;
}

const EMPTY: IPillState = {
  mark: NO_MARK,
  last: null,
  changed: false,
  proposal: null,
  proposedOrder: -1
};

/** A role, or the name of the step, as it is shown. */
export function wordOfRole(
  { role, name }: ITagged,
  trans: TranslationBundle
): string {
  switch (role) {
    case 'step':
      return name;
    case 'setup':
      return trans.__('setup');
    case 'parameters':
      return trans.__('parameters');
    case 'skip':
      return trans.__('skipped');
  }
}

/** A short text from the facts that are there. */
function joined(...facts: (string | false | null)[]): string {
  return facts.filter(Boolean).join(' · ');
}

/** One cell's pill. It takes no room while there is nothing to say. */
export class CellPill extends Panel {
  constructor(
    readonly model: ICellModel,
    private readonly _trans: TranslationBundle,
    private readonly _onGesture: (pill: CellPill, gesture: Gesture) => void
  ) {
    super();
    this.addClass('jp-Pipelines-cell');
    // Keys pressed in it are its own, not the notebook's.
    this.node.dataset.lmSuppressShortcuts = 'true';
    this._line.className = 'jp-Pipelines-pillLine';
    this.node.append(this._line);
    model.metadataChanged.connect(this._onMetadata, this);
    model.contentChanged.connect(this._onContent, this);
    this._magic = readMagic(model.sharedModel.getSource());
    this._draw();
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.model.metadataChanged.disconnect(this._onMetadata, this);
      this.model.contentChanged.disconnect(this._onContent, this);
      super.dispose();
    }
  }

  /** What the cell itself says, by a tag or a magic. */
  get own(): ITagged | null {
    return this.model.type === 'code'
      ? (readRole(readTags(this.model)) ?? this._magic)
      : null;
  }

  get state(): IPillState {
    return this._state;
  }

  set state(state: IPillState) {
    this._state = state;
    this._draw();
  }

  /** Can the keyboard get to it? Only at the active cell: otherwise Tab would stop at each. */
  set reachable(reachable: boolean) {
    if (reachable !== this._reachable) {
      this._reachable = reachable;
      for (const button of this._line.querySelectorAll('button')) {
        button.tabIndex = reachable ? 0 : -1;
      }
    }
  }

  /** Show something in place of the line, or below it, until it is disposed. */
  host(content: Widget, replaces: boolean): void {
    // A windowed notebook does not tell the first widget of a cell that it was attached; without, nothing is drawn in it.
    if (!this.isAttached && this.node.isConnected) {
      this.processMessage(Widget.Msg.AfterAttach);
    }
    this.node.toggleAttribute('data-hosting', replaces);
    this.addWidget(content);
    content.disposed.connect(() => {
      this.node.removeAttribute('data-hosting');
    });
  }

  /** Move the focus to the button of a gesture. */
  focusOn(gesture: Gesture): void {
    this._line
      .querySelector<HTMLElement>(`[data-gesture='${gesture}']`)
      ?.focus();
  }

  private _onMetadata(_: unknown, change: { key: string }): void {
    if (change.key === 'tags' || change.key === 'pipeline') {
      this._draw();
    }
  }

  private _onContent(): void {
    const magic = readMagic(this.model.sharedModel.getSource());
    if (
      magic?.role !== this._magic?.role ||
      magic?.name !== this._magic?.name
    ) {
      this._magic = magic;
      this._draw();
    }
  }

  private _draw(): void {
    const { own } = this;
    const { mark, proposal, proposedOrder } = this._state;
    const step = own?.role === 'step' ? own.name : own ? '' : mark.step;
    const kind = own?.role ?? (proposal ? 'proposal' : step ? 'inherited' : '');
    this.node.dataset.role = kind;
    this.node.style.setProperty(
      '--jp-pipelines-step',
      stepColour(proposal && !own ? proposedOrder : step ? mark.order : -1)
    );
    if (this.model.type !== 'code') {
      this.setHidden(true);
      return;
    }
    const parts = own
      ? this._parts(own)
      : proposal
        ? this._proposed(proposal)
        : [this._ghost(step)];
    this._line.replaceChildren(...parts);
  }

  /** The pill of a cell that says what it is. */
  private _parts(own: ITagged): HTMLElement[] {
    const { mark, last, changed } = this._state;
    const trans = this._trans;
    const pill = this._button('tag', 'jp-Pipelines-pill jp-Pipelines-tinted');
    const name = document.createElement('span');
    name.className = 'jp-Pipelines-pillName';
    name.textContent = wordOfRole(own, trans);
    pill.append(name);
    const known = own.role === 'step' && mark.first ? last : null;
    const facts: string[] = [];
    if (known) {
      const ended = instant(known.ended);
      const seconds = ended ? tookOf(known, new Date()) : null;
      const took = seconds === null ? '' : duration(seconds);
      pill.append(toneIconNode(toneOf(known.state)));
      if (took) {
        const time = document.createElement('span');
        time.className = 'jp-Pipelines-pillTime';
        time.textContent = took;
        pill.append(time);
      }
      facts.push(
        joined(wordOf(known.state, trans), took, ended && relative(ended))
      );
      pill.dataset.state = known.state;
    }
    if (changed) {
      const dot = document.createElement('span');
      dot.className = 'jp-Pipelines-pillChanged';
      pill.append(dot);
      facts.push(trans.__('Changed since it was published'));
    }
    const meaning = this._meaning(own);
    pill.title = [meaning, ...facts].join('\n');
    pill.setAttribute(
      'aria-label',
      joined(meaning, ...facts, trans.__('Change'))
    );
    return own.role === 'step' && !this._saidByMagic
      ? [pill, this._optionsButton(own.name)]
      : [pill];
  }

  private _meaning({ role, name }: ITagged): string {
    const trans = this._trans;
    switch (role) {
      case 'step':
        return trans.__('Step %1', name);
      case 'setup':
        return trans.__('Setup: runs at the start of every step');
      case 'parameters':
        return trans.__('Parameters: values that a run can change');
      case 'skip':
        return trans.__('Skipped: never part of the pipeline');
    }
  }

  private _optionsButton(step: string): HTMLElement {
    const label = this._trans.__('Options of step %1', step);
    return this._iconButton('options', settingsIcon, label);
  }

  private _ghost(step: string): HTMLElement {
    const trans = this._trans;
    const ghost = this._button('tag', 'jp-Pipelines-ghost');
    ghost.textContent = trans.__('+ step');
    ghost.title = step
      ? trans.__('Belongs to step %1. Begin another, or say what it is.', step)
      : trans.__('Say what this cell is to the pipeline');
    return ghost;
  }

  private _proposed(proposal: IProposal): HTMLElement[] {
    const trans = this._trans;
    const word = wordOfRole(proposal, trans);
    const pill = document.createElement('span');
    pill.className = 'jp-Pipelines-pill jp-mod-outline';
    pill.style.color = 'var(--jp-pipelines-step)';
    pill.textContent = word;
    pill.title = proposal.reason;
    return [
      pill,
      this._iconButton('accept', checkIcon, trans.__('Accept %1', word)),
      this._iconButton('reject', closeIcon, trans.__('Reject %1', word))
    ];
  }

  private _button(gesture: Gesture, className: string): HTMLButtonElement {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = className;
    button.dataset.gesture = gesture;
    button.tabIndex = this._reachable ? 0 : -1;
    button.addEventListener('click', () => {
      this._onGesture(this, gesture);
    });
    return button;
  }

  private _iconButton(
    gesture: Gesture,
    icon: LabIcon,
    label: string
  ): HTMLButtonElement {
    const button = this._button(gesture, 'jp-Pipelines-pillButton');
    button.title = label;
    button.setAttribute('aria-label', label);
    button.append(icon.element({ tag: 'span' }));
    return button;
  }

  private get _saidByMagic(): boolean {
    return readRole(readTags(this.model)) === null;
  }

  private readonly _line = document.createElement('div');
  private _magic: ITagged | null;
  private _reachable = false;
  private _state = EMPTY;
}
