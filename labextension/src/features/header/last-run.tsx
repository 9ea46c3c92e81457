/** One line about the run that goes on, or the last one; with what one most likely wants to do about it. */
import * as React from 'react';
import type { IRun } from '../../api';
import { CommandIDs } from '../../tokens';
import {
  duration,
  instant,
  LinkButton,
  Message,
  moment,
  relative,
  StateIcon,
  useClock,
  useLive,
  wordOf
} from '../../ui';
import type { INotebookProps } from '../panel/context';
import {
  canResume,
  causeOf,
  failureOf,
  goesOn,
  progressOf
} from '../running/model';

function When(props: { run: IRun }): React.JSX.Element | null {
  const { run } = props;
  const going = goesOn(run);
  // By the second while it goes on, else by the minute.
  const now = useClock(going ? 1000 : 60_000);
  const started = instant(run.started);
  const ended = instant(run.ended);
  if (going) {
    return started ? (
      <>{duration(Math.max(0, now.getTime() / 1000 - run.started))}</>
    ) : null;
  }
  return ended ? (
    <time dateTime={ended.toISOString()} title={moment(ended)}>
      {relative(ended, now)}
    </time>
  ) : null;
}

function wordsOf(run: IRun, props: INotebookProps): string {
  const { trans } = props;
  const failure = failureOf(run);
  if (run.state === 'running') {
    const { done, all } = progressOf(run);
    return all > 1
      ? trans.__('Running, %1 of %2 steps done', done, all)
      : trans.__('Running');
  }
  if (run.waiting) {
    return run.waiting;
  }
  return run.state === 'failed' && failure && run.steps.length > 1
    ? trans.__('Failed in %1', failure.step)
    : wordOf(run.state, trans);
}

export function LastRun(props: INotebookProps): React.JSX.Element | null {
  const { notebook, commands, running, trans } = props;
  const run = useLive(notebook.runs).value?.[0];
  if (!run) {
    return null;
  }
  const failure = failureOf(run);
  const cause = causeOf(run);
  const path = notebook.notebook;
  return (
    <div className="jp-Pipelines-lastRun" data-state={run.state}>
      <p role="status">
        <StateIcon state={run.state} trans={trans} decorative />
        <span>{wordsOf(run, props)}</span>
      </p>
      <span className="jp-Pipelines-place">
        <When run={run} />
      </span>
      {failure && (
        <LinkButton
          onClick={() => {
            void commands.execute(CommandIDs.goToCell, { cell: failure.cell });
          }}
        >
          {trans.__('Go to cell %1', failure.cell)}
        </LinkButton>
      )}
      {canResume(run) && (
        <LinkButton
          disabled={running.of(path).doing !== null}
          title={trans.__(
            'What succeeded is taken over; steps that you changed run again'
          )}
          onClick={() => {
            void commands.execute(CommandIDs.resume, { path });
          }}
        >
          {trans.__('Resume')}
        </LinkButton>
      )}
      {cause && canResume(run) && (
        <p className="jp-Pipelines-cause" title={cause}>
          {failure ? cause : <Message text={cause} />}
        </p>
      )}
    </div>
  );
}
