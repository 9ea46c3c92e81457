/** The lists below the graph: problems, steps, parameters. */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { IDiagnostic, IParameter, IPipeline, IStep } from '../../api';
import { byProducer, otherReasons, ranges, sortedDiagnostics } from './model';

function Section(props: {
  title: string;
  count: number;
  children: React.ReactNode;
}): React.JSX.Element {
  return (
    <details className="jp-Pipelines-section" open>
      <summary>
        <h3>{props.title}</h3>
        <span className="jp-Pipelines-count">{props.count}</span>
      </summary>
      {props.children}
    </details>
  );
}

/** A message in which `names` are set as code. */
function Message(props: { text: string }): React.JSX.Element {
  return (
    <>
      {props.text
        .split(/`([^`]+)`/)
        .map((part, index) =>
          index % 2 === 1 ? <code key={index}>{part}</code> : part
        )}
    </>
  );
}

function Problem(props: {
  diagnostic: IDiagnostic;
  onPick: (cell: number) => void;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { diagnostic, onPick, trans } = props;
  const { code, severity, message, fix, location } = diagnostic;
  const content = (
    <>
      <span className="jp-Pipelines-problemHead">
        <span className="jp-Pipelines-severity">
          {severity === 'error'
            ? trans.__('Error')
            : severity === 'warning'
              ? trans.__('Warning')
              : trans.__('Note')}
        </span>
        <span className="jp-Pipelines-code">{code}</span>
        {location && (
          <span className="jp-Pipelines-place">
            {trans.__('cell %1, line %2', location.cell, location.line)}
          </span>
        )}
      </span>
      <span>
        <Message text={message} />
      </span>
      {fix && (
        <span className="jp-Pipelines-fix">
          <Message text={fix} />
        </span>
      )}
    </>
  );
  return (
    <li className="jp-Pipelines-problem" data-severity={severity}>
      {location ? (
        <button
          type="button"
          onClick={() => {
            onPick(location.cell);
          }}
        >
          {content}
        </button>
      ) : (
        <div>{content}</div>
      )}
    </li>
  );
}

export function Problems(props: {
  diagnostics: readonly IDiagnostic[];
  onPick: (cell: number) => void;
  trans: TranslationBundle;
}): React.JSX.Element | null {
  const { diagnostics, onPick, trans } = props;
  if (diagnostics.length === 0) {
    return null;
  }
  return (
    <Section title={trans.__('Problems')} count={diagnostics.length}>
      <ul>
        {sortedDiagnostics(diagnostics).map((diagnostic, index) => (
          <Problem
            key={index}
            diagnostic={diagnostic}
            onPick={onPick}
            trans={trans}
          />
        ))}
      </ul>
    </Section>
  );
}

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

/** A default as the author would write it, as far as JSON tells. */
function literal(value: unknown): string {
  if (value === null || value === undefined) {
    return 'None';
  }
  if (typeof value === 'boolean') {
    return value ? 'True' : 'False';
  }
  return JSON.stringify(value);
}

export function Parameters(props: {
  parameters: readonly IParameter[];
  trans: TranslationBundle;
}): React.JSX.Element | null {
  const { parameters, trans } = props;
  if (parameters.length === 0) {
    return null;
  }
  return (
    <Section title={trans.__('Parameters')} count={parameters.length}>
      <dl className="jp-Pipelines-parameters">
        {parameters.map(parameter => (
          <React.Fragment key={parameter.name}>
            <dt>
              <code>{parameter.name}</code>
              <span className="jp-Pipelines-type">{parameter.annotation}</span>
            </dt>
            <dd>
              <code>{literal(parameter.default)}</code>
              {parameter.description && <p>{parameter.description}</p>}
            </dd>
          </React.Fragment>
        ))}
      </dl>
    </Section>
  );
}
