/** Below the grid: all about the square that was picked. */
import { closeIcon } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import { ApiError, type IEvent, type IRun, type IRunStep } from '../../api';
import { CommandIDs, type ILive, type IRecords } from '../../tokens';
import {
  ErrorNotice,
  IconButton,
  LinkButton,
  StaleNotice,
  StateChip,
  StateIcon,
  useAction,
  useLive,
  useNow
} from '../../ui';
import { Facts, type IKnown, lengthText, Parameters, runFacts } from './about';
import { RunActions } from './actions';
import { Log } from './log';
import { isGoingOn } from './model';
import { StepDetail, StepError } from './step';

/** A run with all about its steps, as it goes on. */
export interface IWholeRun {
  run: IRun;
  steps: IRunStep[];
}

export function useWholeRun(records: IRecords, id: string): ILive<IWholeRun> {
  const live = React.useMemo(
    () =>
      records.live<IWholeRun>(
        async signal => {
          const [run, steps] = await Promise.all([
            records.api.run(id, signal),
            records.api.runSteps(id, signal)
          ]);
          return { run, steps };
        },
        (event: IEvent) => event.kind === 'run' && event.subject === id
      ),
    [records, id]
  );
  return useLive(live);
}

/** The steps of a run, to choose one of. */
function StepChoice(props: {
  steps: readonly IRunStep[];
  onPick: (step: string) => void;
  now: Date;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { steps, onPick, now, trans } = props;
  return (
    <ul className="jp-Pipelines-stepChoice">
      {steps.map(step => (
        <li key={step.name}>
          <StateIcon state={step.state} trans={trans} />
          <LinkButton
            onClick={() => {
              onPick(step.name);
            }}
          >
            {step.name}
          </LinkButton>
          <span className="jp-Pipelines-place">{lengthText(step, now)}</span>
        </li>
      ))}
    </ul>
  );
}

export function RunDetail(props: {
  id: string;
  step: string;
  known: IKnown;
  records: IRecords;
  commands: CommandRegistry;
  trans: TranslationBundle;
  onPick: (id: string, step: string) => void;
  onClose: () => void;
}): React.JSX.Element {
  const { id, step, known, records, commands, trans, onPick, onClose } = props;
  const live = useWholeRun(records, id);
  const action = useAction();
  const { run, steps } = live.value ?? { run: null, steps: [] };
  const now = useNow(run !== null && isGoingOn(run.state));
  const found = steps.find(({ name }) => name === step) ?? null;
  const state = found?.state ?? run?.state;
  const failed = steps.filter(one => one.error && one.state !== 'skipped');
  const frame = React.useRef<HTMLElement>(null);
  const isKnown = run !== null;
  React.useEffect(() => {
    // Below the grid, and so mostly out of sight: what was picked would seem to do nothing.
    frame.current?.scrollIntoView({ block: 'nearest' });
  }, [step, isKnown]);
  return (
    <section
      ref={frame}
      className="jp-Pipelines-runDetail"
      aria-label={
        step ? trans.__('Step %1 of the run', step) : trans.__('The run')
      }
    >
      <header>
        <h4>{step || trans.__('Run')}</h4>
        {state && <StateChip state={state} trans={trans} />}
        <IconButton
          icon={closeIcon}
          label={trans.__('Close')}
          onClick={onClose}
        />
      </header>
      <StaleNotice live={live} trans={trans} />
      {run && (
        <>
          {run.error && failed.length === 0 && (
            <ErrorNotice error={new ApiError(run.error)} />
          )}
          {(step ? found && [found] : failed)?.map(one => (
            <StepError
              key={one.name}
              run={run}
              step={one}
              commands={commands}
              trans={trans}
            />
          ))}
          <RunActions
            run={run}
            step={found}
            action={action}
            records={records}
            commands={commands}
            trans={trans}
            onStarted={started => {
              onPick(started.id, '');
            }}
          />
          {found && <StepDetail step={found} now={now} trans={trans} />}
          {!step && (
            <StepChoice
              steps={steps}
              now={now}
              trans={trans}
              onPick={name => {
                onPick(id, name);
              }}
            />
          )}
          <h5>{trans.__('The run')}</h5>
          <Facts facts={runFacts(run, known, now, trans)} />
          {Object.keys(run.parameters).length > 0 && (
            <h5>{trans.__('Parameters')}</h5>
          )}
          <Parameters parameters={run.parameters} trans={trans} />
          <Log run={run} step={step} records={records} trans={trans} />
          {run.backfill && (
            <LinkButton
              onClick={() => {
                void commands.execute(CommandIDs.backfill, {
                  path: run.notebook,
                  backfill: run.backfill
                });
              }}
            >
              {trans.__('Show the backfill it belongs to')}
            </LinkButton>
          )}
        </>
      )}
    </section>
  );
}
