/** One schedule or trigger: what it is, when it runs next, and what can be done with it. */
import type { TranslationBundle } from '@jupyterlab/translation';
import {
  copyIcon,
  deleteIcon,
  editIcon,
  runIcon
} from '@jupyterlab/ui-components';
import type { JSONObject } from '@lumino/coreutils';
import * as React from 'react';
import type { ISchedule, ITrigger, IVersion } from '../../api';
import {
  ErrorNotice,
  IconButton,
  moment,
  Notice,
  relative,
  Switch,
  useAction
} from '../../ui';
import { textOf } from '../parameters/model';
import { browserZone } from './model';
import { versionLabel } from './options';
import { causeInWords, oddities, overlapInWords, whenInWords } from './words';

/** What a card can ask for. */
export interface ICardActions {
  pause: (paused: boolean) => Promise<unknown>;
  edit: () => void;
  duplicate: () => void;
  remove: () => Promise<unknown>;
  /** `null` where a run needs what only its cause can give. */
  runNow: (() => Promise<unknown>) | null;
}

function sourceInWords(
  version: string,
  follow: string,
  versions: readonly IVersion[] | null,
  trans: TranslationBundle
): string {
  if (follow.startsWith('ref:')) {
    return trans.__('follows git %1', follow.slice(4));
  }
  if (follow) {
    return trans.__('follows each save');
  }
  if (version === '') {
    return trans.__('runs the file, unchecked');
  }
  const published = versions?.find(each => each.published);
  if (version === 'published') {
    return published
      ? trans.__('published version (%1)', versionLabel(versions, published.id))
      : trans.__('published version');
  }
  return trans.__('version %1', versionLabel(versions, version));
}

/** The frame of both kinds. */
function Card(
  props: ICardActions & {
    id: string;
    title: string;
    paused: boolean;
    facts: readonly string[];
    parameters: JSONObject;
    problem: string;
    trans: TranslationBundle;
    children?: React.ReactNode;
  }
): React.JSX.Element {
  const { id, title, paused, facts, parameters, problem, trans } = props;
  const action = useAction();
  const { runNow } = props;
  const values = Object.entries(parameters);
  return (
    <li
      className="jp-Pipelines-card"
      data-paused={paused || undefined}
      data-id={id}
    >
      <div className="jp-Pipelines-cardHead">
        <h4>{title}</h4>
        <Switch
          label={trans.__('Active')}
          checked={!paused}
          disabled={action.busy}
          onChange={active => {
            action.start(() => props.pause(!active));
          }}
        />
      </div>
      {props.children}
      <p className="jp-Pipelines-hint">{facts.join(' · ')}</p>
      {values.length > 0 && (
        <p className="jp-Pipelines-hint jp-Pipelines-givenValues">
          {values.map(([name, value]) => (
            <code key={name}>
              {name} = {textOf(value ?? null)}
            </code>
          ))}
        </p>
      )}
      {problem && (
        <Notice tone="warning">
          <p>{problem}</p>
        </Notice>
      )}
      <ErrorNotice error={action.error} />
      <div className="jp-Pipelines-cardActions">
        {runNow && (
          <IconButton
            icon={runIcon}
            label={trans.__('Run now with its parameters')}
            disabled={action.busy}
            onClick={() => {
              action.start(runNow);
            }}
          />
        )}
        <IconButton
          icon={editIcon}
          label={trans.__('Change')}
          onClick={props.edit}
        />
        <IconButton
          icon={copyIcon}
          label={trans.__('Duplicate')}
          onClick={props.duplicate}
        />
        <IconButton
          icon={deleteIcon}
          label={trans.__('Remove')}
          disabled={action.busy}
          onClick={() => {
            action.start(props.remove);
          }}
        />
      </div>
    </li>
  );
}

function Next(props: {
  schedule: ISchedule;
  zone: string;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { schedule, zone, trans } = props;
  if (schedule.paused) {
    return <p className="jp-Pipelines-next">{trans.__('Paused')}</p>;
  }
  if (!schedule.next) {
    return (
      <p className="jp-Pipelines-next">
        {trans.__('Over: it has no further time')}
      </p>
    );
  }
  const time = new Date(schedule.next);
  const there = moment(time, zone);
  const here = moment(time);
  return (
    <p className="jp-Pipelines-next">
      {trans.__('Next')} <time dateTime={schedule.next}>{there}</time>{' '}
      <span className="jp-Pipelines-hint">
        {relative(time)}
        {here !== there && ` · ${trans.__('%1 where you are', here)}`}
      </span>
    </p>
  );
}

export function ScheduleCard(
  props: ICardActions & {
    schedule: ISchedule;
    versions: readonly IVersion[] | null;
    trans: TranslationBundle;
  }
): React.JSX.Element {
  const { schedule, versions, trans } = props;
  const { schedule: spec } = schedule;
  const zone = spec.zone ?? 'UTC';
  const words = whenInWords(schedule, trans);
  const refused =
    schedule.followed?.state === 'refused' ? schedule.followed.problem : '';
  const waiting = schedule.waiting.length;
  return (
    <Card
      {...props}
      id={schedule.id}
      title={schedule.name || words}
      paused={schedule.paused}
      facts={[
        ...(schedule.name ? [words] : []),
        zone === browserZone() ? zone : trans.__('%1 time', zone),
        ...oddities(spec, trans),
        sourceInWords(schedule.version, schedule.follow ?? '', versions, trans),
        ...(waiting > 0
          ? [trans._n('%1 run waits', '%1 runs wait', waiting)]
          : [])
      ]}
      parameters={spec.parameters ?? {}}
      problem={schedule.problem || refused}
    >
      <Next schedule={schedule} zone={zone} trans={trans} />
    </Card>
  );
}

export function TriggerCard(
  props: ICardActions & {
    trigger: ITrigger;
    versions: readonly IVersion[] | null;
    trans: TranslationBundle;
  }
): React.JSX.Element {
  const { trigger, versions, trans } = props;
  const words = causeInWords(trigger);
  const waiting = trigger.waiting.length;
  return (
    <Card
      {...props}
      id={trigger.id}
      title={trigger.name || words}
      paused={trigger.paused}
      facts={[
        ...(trigger.name ? [words] : []),
        ...(trigger.paused ? [trans.__('paused')] : []),
        ...overlapInWords(trigger.overlap, undefined, trans),
        sourceInWords(trigger.version, '', versions, trans),
        ...(waiting > 0
          ? [trans._n('%1 run waits', '%1 runs wait', waiting)]
          : [])
      ]}
      parameters={trigger.parameters}
      problem={trigger.problem}
    />
  );
}
