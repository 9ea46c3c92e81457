/** Above the cells: what is suggested for the notebook as a whole. */
import type { NotebookPanel } from '@jupyterlab/notebook';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { IProposal } from '../../api';
import type { ISuggestions } from '../../tokens';
import { Button, Message, useSignals } from '../../ui';

interface IBarProps {
  notebook: NotebookPanel;
  suggestions: ISuggestions;
  /** Why it is so, or why nothing is suggested. */
  reasons: readonly string[];
  onClose: () => void;
  trans: TranslationBundle;
}

/** `5 steps, setup, parameters`. */
function summary(
  proposals: Iterable<IProposal>,
  trans: TranslationBundle
): string {
  const steps = new Set<string>();
  const others = new Set<string>();
  for (const { role, name } of proposals) {
    if (role === 'step') {
      steps.add(name);
    } else {
      others.add(role);
    }
  }
  return [
    steps.size > 0 ? trans._n('%1 step', '%1 steps', steps.size) : '',
    others.has('setup') ? trans.__('setup') : '',
    others.has('parameters') ? trans.__('parameters') : ''
  ]
    .filter(part => part !== '')
    .join(', ');
}

function Bar(props: IBarProps): React.JSX.Element {
  const { notebook, suggestions, reasons, onClose, trans } = props;
  useSignals(suggestions.changed);
  const proposals = suggestions.of(notebook);
  if (proposals.size === 0) {
    return (
      <>
        <p role="status">
          <Message text={reasons.at(-1) ?? trans.__('Nothing to suggest.')} />
        </p>
        <Button onClick={onClose}>{trans.__('Close')}</Button>
      </>
    );
  }
  return (
    <>
      <p role="status">
        <strong>
          {trans.__('Suggested: %1', summary(proposals.values(), trans))}
        </strong>
        <span className="jp-Pipelines-hint">
          {trans.__('Accept all, or one by one at the cells.')}
        </span>
      </p>
      <Button
        kind="primary"
        onClick={() => {
          suggestions.accept(notebook);
        }}
      >
        {trans.__('Accept all')}
      </Button>
      <Button
        onClick={() => {
          suggestions.reject(notebook);
        }}
      >
        {trans.__('Reject all')}
      </Button>
    </>
  );
}

export class SuggestionBar extends ReactWidget {
  constructor(private readonly _props: IBarProps) {
    super();
    this.addClass('jp-Pipelines-bar');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute(
      'aria-label',
      this._props.trans.__('Suggested steps')
    );
  }

  protected override render(): React.JSX.Element {
    return <Bar {...this._props} />;
  }
}
