/** What the panel shows when there are no steps to show. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import { pipelineIcon } from '../../icons';
import { CommandIDs } from '../../tokens';
import { Button } from '../../ui';

export function MessageFace(props: {
  title: string;
  text: string;
  action?: string;
  onAction?: () => void;
}): React.JSX.Element {
  return (
    <section className="jp-Pipelines-message">
      <pipelineIcon.react tag="span" className="jp-Pipelines-messageIcon" />
      <h3>{props.title}</h3>
      <p>{props.text}</p>
      {props.action && (
        <button
          type="button"
          className="jp-Pipelines-button"
          onClick={props.onAction}
        >
          {props.action}
        </button>
      )}
    </section>
  );
}

/** Grey shapes where the content will be. They fade in late, so that a quick answer shows none of them. */
export function LoadingFace(props: {
  trans: TranslationBundle;
}): React.JSX.Element {
  return (
    <div
      className="jp-Pipelines-loading"
      role="status"
      aria-label={props.trans.__('Reading the notebook')}
    >
      <span />
      <span />
      <span />
    </div>
  );
}

/** Says what the words are to an author who has not used any yet, and what can be done without. */
export function UntaggedFace(props: {
  trans: TranslationBundle;
  commands: CommandRegistry;
  path: string;
  /** Is the active cell one that can be tagged? */
  canTag: boolean;
  onTag: () => void;
}): React.JSX.Element {
  const { trans, commands, path, canTag, onTag } = props;
  const words: [string, string][] = [
    [
      'step:NAME',
      trans.__('begins a step; cells below it belong to it until the next')
    ],
    ['setup', trans.__('imports and functions: run at the start of each step')],
    ['parameters', trans.__('values that a run can change')],
    ['skip', trans.__('exploration: never part of the pipeline')]
  ];
  const canSuggest = commands.hasCommand(CommandIDs.suggestSteps);
  return (
    <section className="jp-Pipelines-message jp-mod-start">
      <h3>{trans.__('This notebook is one step so far')}</h3>
      <p>
        {trans.__(
          'It can run and be scheduled as it is. Tag cells, and it becomes a pipeline: what each step needs from the others is worked out for you.'
        )}
      </p>
      <div className="jp-Pipelines-row">
        {canSuggest && (
          <Button
            kind="primary"
            onClick={() => {
              void commands.execute(CommandIDs.suggestSteps);
            }}
          >
            {trans.__('Suggest steps')}
          </Button>
        )}
        <Button
          disabled={!canTag}
          title={canTag ? undefined : trans.__('Choose a code cell first.')}
          onClick={onTag}
        >
          {trans.__('Tag this cell as a step')}
        </Button>
        <Button
          onClick={() => {
            void commands.execute(CommandIDs.run, { path });
          }}
        >
          {trans.__('Run as one step')}
        </Button>
      </div>
      <details>
        <summary>{trans.__('The words')}</summary>
        <dl>
          {words.map(([tag, meaning]) => (
            <React.Fragment key={tag}>
              <dt>
                <code>{tag}</code>
              </dt>
              <dd>{meaning}</dd>
            </React.Fragment>
          ))}
        </dl>
      </details>
    </section>
  );
}
