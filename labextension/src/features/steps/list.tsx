/** The steps as a list: the same as the graph, for the keyboard and screen readers. */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { IPipeline, IStep } from '../../api';
import { Message, Section } from '../../ui';
import { byProducer, otherReasons, ranges } from '../panel/model';

function Names(props: { names: readonly string[] }): React.JSX.Element {
  return (
    <>
      {props.names.map((name, index) => (
        <React.Fragment key={name}>
          {index > 0 && ', '}
          <code>{name}</code>
        </React.Fragment>
      ))}
    </>
  );
}

function Step(props: {
  step: IStep;
  pipeline: IPipeline;
  selected: boolean;
  onPick: (step: string) => void;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { step, pipeline, selected, onPick, trans } = props;
  const others = otherReasons(pipeline, step);
  return (
    <li
      className="jp-Pipelines-step"
      aria-current={selected ? 'step' : undefined}
    >
      <button
        type="button"
        data-step={step.name}
        onClick={() => {
          onPick(step.name);
        }}
      >
        <span className="jp-Pipelines-stepName">{step.name}</span>
        <span className="jp-Pipelines-place">
          {trans._n(
            'cell %2',
            'cells %2',
            step.cells.length,
            ranges(step.cells)
          )}
        </span>
      </button>
      <dl>
        {byProducer(step.inputs).map(([producer, names]) => (
          <React.Fragment key={producer}>
            <dt>{trans.__('reads')}</dt>
            <dd>
              <Names names={names} />{' '}
              <span className="jp-Pipelines-from">
                {trans.__('from %1', producer)}
              </span>
            </dd>
          </React.Fragment>
        ))}
        {step.outputs.length > 0 && (
          <>
            <dt>{trans.__('gives')}</dt>
            <dd>
              <Names names={step.outputs} />
            </dd>
          </>
        )}
        {others.map(reason => (
          <React.Fragment key={reason}>
            <dt>{trans.__('waits')}</dt>
            <dd>
              <Message text={reason} />
            </dd>
          </React.Fragment>
        ))}
      </dl>
    </li>
  );
}

export function Steps(props: {
  pipeline: IPipeline;
  selected: string;
  onPick: (step: string) => void;
  trans: TranslationBundle;
}): React.JSX.Element | null {
  const { pipeline, selected, onPick, trans } = props;
  if (pipeline.steps.length === 0) {
    return null;
  }
  return (
    <Section title={trans.__('Steps')} count={pipeline.steps.length}>
      <ol>
        {pipeline.steps.map(step => (
          <Step
            key={step.name}
            step={step}
            pipeline={pipeline}
            selected={step.name === selected}
            onPick={onPick}
            trans={trans}
          />
        ))}
      </ol>
    </Section>
  );
}
