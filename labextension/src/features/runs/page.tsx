/** The page of one run: what it was, its steps along time, and all about the step that is picked. */
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import { copyIcon, ReactWidget } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import { ApiError, type IRun } from '../../api';
import { CommandIDs, type ILive, type IRecords } from '../../tokens';
import {
  ErrorNotice,
  IconButton,
  LinkButton,
  StaleNotice,
  StateChip,
  useAction,
  useLive,
  useNow
} from '../../ui';
import { Facts, type IKnown, Parameters, runFacts, useKnown } from './about';
import { RunActions } from './actions';
import { type IWholeRun, useWholeRun } from './detail';
import { Gantt } from './gantt';
import { LogLines } from './log';
import { isGoingOn, parameterChanges } from './model';
import { StepDetail, StepError } from './step';
import { Traceback } from './traceback';

export interface IRunPageOptions {
  records: IRecords;
  commands: CommandRegistry;
  rendermime: IRenderMimeRegistry;
  trans: TranslationBundle;
  /** The address that leads to this page. */
  link: string;
}

/** The run before, of the same pipeline; `null` within when there is none. */
function usePrevious(records: IRecords, run: IRun): ILive<IRun | null> {
  const { id, notebook } = run;
  return useLive(
    React.useMemo(
      () =>
        records.live<IRun | null>(
          async signal =>
            notebook === null
              ? null
              : ((
                  await records.api.runs(
                    { notebook, after: id, limit: 1 },
                    signal
                  )
                ).runs[0] ?? null),
          () => false
        ),
      [records, id, notebook]
    )
  );
}

/** How the parameters differ from those of the run before. */
function Changes(props: {
  run: IRun;
  previous: IRun;
  onOpen: (run: string) => void;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { run, previous, onOpen, trans } = props;
  const changes = parameterChanges(run, previous);
  const missing = <em>{trans.__('default')}</em>;
  return (
    <>
      <p className="jp-Pipelines-hint">
        {changes.length > 0
          ? trans.__('Against the run before:')
          : trans.__('The same as in the run before.')}{' '}
        <LinkButton
          onClick={() => {
            onOpen(previous.id);
          }}
        >
          {trans.__('Show it')}
        </LinkButton>
      </p>
      {changes.length > 0 && (
        <dl className="jp-Pipelines-changes">
          {changes.map(({ name, before, after }) => (
            <React.Fragment key={name}>
              <dt>{name}</dt>
              <dd>
                {before === null ? missing : <del>{before}</del>}
                <span aria-hidden="true"> → </span>
                {after === null ? missing : <ins>{after}</ins>}
              </dd>
            </React.Fragment>
          ))}
        </dl>
      )}
    </>
  );
}

function Header(
  props: IRunPageOptions & { run: IRun; known: IKnown; now: Date }
): React.JSX.Element {
  const { run, known, now, commands, link, trans } = props;
  const [copied, setCopied] = React.useState(false);
  const { notebook } = run;
  return (
    <header>
      <div className="jp-Pipelines-pageTitle">
        <h2>{trans.__('Run of %1', notebook ?? run.name)}</h2>
        <span role="status">
          <StateChip state={run.state} trans={trans} />
        </span>
        <IconButton
          icon={copyIcon}
          label={
            copied ? trans.__('Copied') : trans.__('Copy the link to this page')
          }
          onClick={() => {
            void navigator.clipboard.writeText(link).then(() => {
              setCopied(true);
            });
          }}
        />
        {copied && (
          <span className="jp-Pipelines-hint" role="status">
            {trans.__('Link copied')}
          </span>
        )}
      </div>
      <Facts
        facts={[
          ...runFacts(run, known, now, trans),
          [
            trans.__('Notebook'),
            notebook === null ? (
              ''
            ) : (
              <LinkButton
                onClick={() => {
                  void commands.execute(CommandIDs.openNotebook, {
                    path: notebook
                  });
                }}
              >
                {notebook}
              </LinkButton>
            )
          ],
          [
            trans.__('Continues'),
            run.resumed_from ? (
              <LinkButton
                onClick={() => {
                  void commands.execute(CommandIDs.openRun, {
                    run: run.resumed_from
                  });
                }}
              >
                {trans.__('an earlier run')}
              </LinkButton>
            ) : (
              ''
            )
          ],
          [
            trans.__('Backfill'),
            run.backfill ? (
              <LinkButton
                onClick={() => {
                  void commands.execute(CommandIDs.backfill, {
                    path: notebook,
                    backfill: run.backfill
                  });
                }}
              >
                {trans.__('show all its windows')}
              </LinkButton>
            ) : (
              ''
            )
          ]
        ]}
      />
    </header>
  );
}

/** What is looked at first: what failed, then what runs, then the first step. */
export function firstLook({ steps }: IWholeRun): string {
  const found =
    steps.find(step => step.error && step.state !== 'skipped') ??
    steps.find(step => step.state === 'running') ??
    steps[0];
  return found?.name ?? '';
}

function Page(
  props: IRunPageOptions & { whole: IWholeRun }
): React.JSX.Element {
  const { whole, records, commands, rendermime, trans } = props;
  const { run, steps } = whole;
  const [picked, setPicked] = React.useState('');
  const now = useNow(isGoingOn(run.state));
  const known = useKnown(records.of(run.notebook ?? ''));
  const previous = usePrevious(records, run).value;
  const action = useAction();
  const selected = picked || firstLook(whole);
  const step = steps.find(({ name }) => name === selected) ?? null;
  const open = (id: string): void => {
    void commands.execute(CommandIDs.openRun, { run: id });
  };
  return (
    <>
      <Header {...props} run={run} known={known} now={now} />
      <RunActions
        run={run}
        step={step}
        action={action}
        records={records}
        commands={commands}
        trans={trans}
        onStarted={({ id }) => {
          open(id);
        }}
        onPage
      />
      {run.error && !steps.some(one => one.error) && (
        <ErrorNotice error={new ApiError(run.error)} />
      )}
      <section>
        <h3>{trans.__('Steps')}</h3>
        <Gantt
          run={run}
          steps={steps}
          selected={selected}
          onPick={setPicked}
          now={now}
          trans={trans}
        />
      </section>
      {step && (
        <section className="jp-Pipelines-pageStep" aria-label={step.name}>
          <h3>
            {step.name} <StateChip state={step.state} trans={trans} />
          </h3>
          <StepError run={run} step={step} commands={commands} trans={trans} />
          <StepDetail step={step} now={now} trans={trans} />
          {step.error_kind === 'error' && (
            <Traceback
              run={run}
              step={step}
              records={records}
              rendermime={rendermime}
              trans={trans}
            />
          )}
        </section>
      )}
      <section>
        <h3>{trans.__('Parameters')}</h3>
        {Object.keys(run.parameters).length === 0 && (
          <p>{trans.__('All have their defaults.')}</p>
        )}
        <Parameters parameters={run.parameters} trans={trans} />
        {previous && (
          <Changes run={run} previous={previous} onOpen={open} trans={trans} />
        )}
      </section>
      <section>
        <h3>{trans.__('Log')}</h3>
        <LogLines run={run} records={records} trans={trans} />
      </section>
    </>
  );
}

function RunPage(props: IRunPageOptions & { id: string }): React.JSX.Element {
  const live = useWholeRun(props.records, props.id);
  return (
    <>
      <StaleNotice live={live} trans={props.trans} />
      {live.value && <Page {...props} whole={live.value} />}
    </>
  );
}

export class RunWidget extends ReactWidget {
  constructor(
    readonly run: string,
    private readonly _options: IRunPageOptions
  ) {
    super();
    this.addClass('jp-Pipelines-page');
  }

  protected override render(): React.JSX.Element {
    return <RunPage {...this._options} id={this.run} />;
  }
}
