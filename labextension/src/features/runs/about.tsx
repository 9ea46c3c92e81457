/** What is said of a run, a step or a backfill: in the card, in the detail below the grid, and on the page of a run. */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { IRun, ISchedule, ITrigger, IVersion } from '../../api';
import type { INotebookRecords } from '../../tokens';
import {
  duration,
  instant,
  moment,
  relative,
  StateChip,
  useLive,
  wordOf
} from '../../ui';
import { progressText } from '../backfills/model';
import {
  type Column,
  lengthOf,
  partOf,
  startedBy,
  stepOf,
  valueText,
  versionOf
} from './model';

/** What runs refer to by their ids. */
export interface IKnown {
  schedules: readonly ISchedule[] | null;
  triggers: readonly ITrigger[] | null;
  versions: readonly IVersion[] | null;
}

export function useKnown(notebook: INotebookRecords): IKnown {
  return {
    schedules: useLive(notebook.schedules).value,
    triggers: useLive(notebook.triggers).value,
    versions: useLive(notebook.versions).value
  };
}

/** Names and what they are, one per line; what is empty is left out. */
export function Facts(props: {
  facts: readonly (readonly [string, React.ReactNode])[];
}): React.JSX.Element {
  return (
    <dl className="jp-Pipelines-about">
      {props.facts
        .filter(([, value]) => value !== '' && value !== null)
        .map(([name, value]) => (
          <React.Fragment key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </React.Fragment>
        ))}
    </dl>
  );
}

/** `Mon 23 Nov, 07:00 (2 hours ago)`; nothing for no time. */
export function When(props: { time: number }): React.JSX.Element | null {
  const time = instant(props.time);
  return (
    time && (
      <time dateTime={time.toISOString()}>
        {moment(time)}{' '}
        <span className="jp-Pipelines-hint jp-Pipelines-relative">
          ({relative(time)})
        </span>
      </time>
    )
  );
}

/** How long, as far as it is known. */
export function lengthText(
  timed: { started: number; ended: number },
  now: Date
): string {
  const length = lengthOf(timed, now);
  return length === null ? '' : duration(length);
}

export function runFacts(
  run: IRun,
  known: IKnown,
  now: Date,
  trans: TranslationBundle
): [string, React.ReactNode][] {
  return [
    [trans.__('Started'), run.started ? <When time={run.started} /> : ''],
    [run.ended ? trans.__('Took') : trans.__('For'), lengthText(run, now)],
    [trans.__('Started by'), startedBy(run, known, trans)],
    [
      trans.__('Scheduled for'),
      run.scheduled_time ? <When time={run.scheduled_time} /> : ''
    ],
    [trans.__('Part'), partOf(run, trans)],
    [trans.__('Version'), versionOf(run, known.versions, trans)],
    [trans.__('Waits for'), run.waiting]
  ];
}

export function Parameters(props: {
  parameters: IRun['parameters'];
  /** At most so many; the rest is counted. */
  most?: number;
  trans: TranslationBundle;
}): React.JSX.Element | null {
  const { parameters, most = Infinity, trans } = props;
  const names = Object.keys(parameters);
  if (names.length === 0) {
    return null;
  }
  return (
    <dl className="jp-Pipelines-about jp-mod-code">
      {names.slice(0, most).map(name => (
        <React.Fragment key={name}>
          <dt>{name}</dt>
          <dd>{valueText(parameters[name])}</dd>
        </React.Fragment>
      ))}
      {names.length > most && (
        <dd className="jp-Pipelines-hint">
          {trans._n('and %1 more', 'and %1 more', names.length - most)}
        </dd>
      )}
    </dl>
  );
}

/** What a square of the grid is, in one line, for those who do not see its colour and place. */
export function squareText(
  column: Column,
  step: string,
  now: Date,
  trans: TranslationBundle
): string {
  if (column.kind === 'backfill') {
    const { backfill } = column;
    return trans.__(
      'Backfill, %1, %2',
      wordOf(backfill.state, trans),
      progressText(backfill, trans)
    );
  }
  const { run } = column;
  const started = instant(run.started);
  const when = started ? moment(started) : trans.__('not begun');
  if (!step) {
    return trans.__(
      'Run, %1, %2, %3',
      wordOf(run.state, trans),
      when,
      lengthText(run, now)
    );
  }
  const found = stepOf(run, step);
  return found
    ? trans.__('%1, %2, run of %3', step, wordOf(found.state, trans), when)
    : trans.__('%1 is not part of the run of %2', step, when);
}

/** The content of the card over a square. */
export function SquareCard(props: {
  column: Column;
  step: string;
  known: IKnown;
  now: Date;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { column, step, known, now, trans } = props;
  if (column.kind === 'backfill') {
    const { backfill } = column;
    return (
      <>
        <p className="jp-Pipelines-cardHead">
          <strong>{trans.__('Backfill')}</strong>
          <StateChip state={backfill.state} trans={trans} />
        </p>
        <p>{progressText(backfill, trans)}</p>
        <Facts
          facts={[[trans.__('Asked for'), <When time={backfill.created} />]]}
        />
      </>
    );
  }
  const { run } = column;
  const found = step ? stepOf(run, step) : null;
  return (
    <>
      <p className="jp-Pipelines-cardHead">
        <strong>{step || trans.__('Run')}</strong>
        {!step && <StateChip state={run.state} trans={trans} />}
        {found && <StateChip state={found.state} trans={trans} />}
        {found && <span>{lengthText(found, now)}</span>}
      </p>
      {step && !found && <p>{trans.__('Not part of this run.')}</p>}
      {found?.waiting && <p>{trans.__('Waits for %1', found.waiting)}</p>}
      {found && found.attempts > 1 && (
        <p>{trans.__('%1 attempts', found.attempts)}</p>
      )}
      <Facts facts={runFacts(run, known, now, trans)} />
      <Parameters parameters={run.parameters} most={5} trans={trans} />
    </>
  );
}
