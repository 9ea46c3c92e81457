/** The steps as a list: the same as the graph, for the keyboard and screen readers. */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { IPipeline, IStep, IStepBrief } from '../../api';
import {
  duration,
  Message,
  StateIcon,
  stepStyle,
  useClock,
  useRovingFocus,
  useShared
} from '../../ui';
import { byProducer, type IWaits, ranges, waitsOf } from '../panel/model';
import { type StepStates, tookOf } from './model';

function Names(props: {
  names: readonly string[];
  /** What else is known of each. */
  describe?: (name: string) => string;
}): React.JSX.Element {
  const { names, describe } = props;
  return (
    <>
      {names.map((name, index) => {
        const more = describe?.(name);
        return (
          <React.Fragment key={name}>
            {index > 0 && ', '}
            <code>{name}</code>
            {more && <span className="jp-Pipelines-from"> ({more})</span>}
          </React.Fragment>
        );
      })}
    </>
  );
}

/** A duration that grows by the second. */
function Growing(props: { step: IStepBrief }): React.JSX.Element {
  return <>{duration(tookOf(props.step, useClock(1000)) ?? 0)}</>;
}

function Took(props: {
  step: IStepBrief;
  trans: TranslationBundle;
}): React.JSX.Element | null {
  const { step, trans } = props;
  if (step.state === 'running') {
    return <Growing step={step} />;
  }
  const seconds = tookOf(step, new Date());
  return seconds === null ? (
    step.state === 'reused' ? (
      <>{trans.__('reused')}</>
    ) : null
  ) : (
    <>{duration(seconds)}</>
  );
}

/** What it reads, gives and waits for. */
function Details(props: {
  step: IStep;
  waits: IWaits;
  describe: (value: string) => string;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { step, waits, describe, trans } = props;
  const touched: [string, readonly string[] | undefined][] = [
    [trans.__('opens'), step.files_read],
    [trans.__('writes'), step.files_written],
    [trans.__('builds'), step.tables_written]
  ];
  return (
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
      {waits.tables.map(([builder, names]) => (
        <React.Fragment key={builder}>
          <dt>{trans.__('queries')}</dt>
          <dd>
            <Names names={names} />{' '}
            {builder && (
              <span className="jp-Pipelines-from">
                {trans.__('from %1', builder)}
              </span>
            )}
          </dd>
        </React.Fragment>
      ))}
      {step.outputs.length > 0 && (
        <>
          <dt>{trans.__('gives')}</dt>
          <dd>
            <Names names={step.outputs} describe={describe} />
          </dd>
        </>
      )}
      {touched.map(
        ([word, names]) =>
          names &&
          names.length > 0 && (
            <React.Fragment key={word}>
              <dt>{word}</dt>
              <dd>
                <Names names={names} />
              </dd>
            </React.Fragment>
          )
      )}
      {waits.reasons.map(reason => (
        <React.Fragment key={reason}>
          <dt>{trans.__('waits')}</dt>
          <dd>
            <Message text={reason} />
          </dd>
        </React.Fragment>
      ))}
    </dl>
  );
}

const Step = React.memo(function Step(props: {
  step: IStep;
  index: number;
  waits: IWaits;
  selected: boolean;
  state: IStepBrief | undefined;
  describe: (value: string) => string;
  tabIndex: number;
  onPick: (step: string) => void;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { step, index, waits, selected, state, tabIndex, trans } = props;
  const { describe, onPick } = props;
  return (
    <li
      className="jp-Pipelines-step"
      style={stepStyle(index)}
      aria-current={selected ? 'step' : undefined}
    >
      <button
        type="button"
        data-step={step.name}
        tabIndex={tabIndex}
        onClick={() => {
          onPick(step.name);
        }}
      >
        {state && <StateIcon state={state.state} trans={trans} />}
        <span className="jp-Pipelines-stepName">{step.name}</span>
        <span className="jp-Pipelines-place">
          {state && <Took step={state} trans={trans} />}
        </span>
        <span className="jp-Pipelines-place">
          {trans._n(
            'cell %2',
            'cells %2',
            step.cells.length,
            ranges(step.cells)
          )}
        </span>
      </button>
      <Details step={step} waits={waits} describe={describe} trans={trans} />
    </li>
  );
});

const NOTHING: IWaits = { tables: [], reasons: [] };

function useWaits(pipeline: IPipeline): readonly IWaits[] {
  const { steps, edges } = pipeline;
  return useShared(
    React.useMemo(() => waitsOf({ steps, edges }), [steps, edges])
  );
}

/** Drawn again only where something is another than it was: it may be long, and one types beside it. */
export const StepList = React.memo(function StepList(props: {
  pipeline: IPipeline;
  selected: string;
  states: StepStates;
  describe: (value: string) => string;
  onPick: (step: string) => void;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { pipeline, selected, states, describe, onPick, trans } = props;
  const roving = useRovingFocus('button[data-step]');
  const waits = useWaits(pipeline);
  const chosen = Math.max(
    0,
    pipeline.steps.findIndex(step => step.name === selected)
  );
  return (
    <ol {...roving}>
      {pipeline.steps.map((step, index) => (
        <Step
          key={step.name}
          step={step}
          index={index}
          waits={waits[index] ?? NOTHING}
          selected={step.name === selected}
          state={states.get(step.name)}
          describe={describe}
          tabIndex={index === chosen ? 0 : -1}
          onPick={onPick}
          trans={trans}
        />
      ))}
    </ol>
  );
});
