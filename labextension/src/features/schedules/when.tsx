/** The part of the form that says when it runs: five ways, each with fields of its own. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { closeIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import { Button, Choices, Field, IconButton, Select } from '../../ui';
import type { IDraft, SpanUnit } from './model';
import {
  type ISimple,
  nthName,
  PARTS_OF_AN_HOUR,
  type Unit,
  WEEK,
  weekdayName
} from './simple';

/** What every part of the form is given. */
export interface IPartProps {
  draft: IDraft;
  change: (changes: Partial<IDraft>) => void;
  /** What is wrong with a part of the form; empty when nothing is. */
  problemOf: (part: string) => string;
  trans: TranslationBundle;
}

export function Simple(props: IPartProps): React.JSX.Element {
  const { draft, change, problemOf, trans } = props;
  const { simple } = draft;
  const set = (changes: Partial<ISimple>): void => {
    change({ simple: { ...simple, ...changes } });
  };
  const units: [Unit, string][] = [
    ['minutes', trans.__('few minutes')],
    ['hour', trans.__('hour')],
    ['day', trans.__('day')],
    ['weekday', trans.__('weekday')],
    ['week', trans.__('week')],
    ['month', trans.__('month')]
  ];
  const clock = simple.unit !== 'minutes' && simple.unit !== 'hour';
  return (
    <>
      <div className="jp-Pipelines-fields">
        <Field label={trans.__('Every')}>
          {field => (
            <Select
              {...field}
              data-first
              value={simple.unit === 'nth' ? 'month' : simple.unit}
              choices={units}
              onChange={unit => {
                set({ unit });
              }}
            />
          )}
        </Field>
        {clock && (
          <Field
            label={trans.__('At')}
            problem={problemOf('time') && trans.__('Say at what time.')}
          >
            {field => (
              <input
                {...field}
                type="time"
                className="jp-Pipelines-input jp-mod-auto"
                value={simple.time}
                required
                onChange={event => {
                  set({ time: event.target.value });
                }}
              />
            )}
          </Field>
        )}
        {simple.unit === 'minutes' && (
          <Field label={trans.__('Minutes')}>
            {field => (
              <Select
                {...field}
                value={simple.minutes}
                choices={PARTS_OF_AN_HOUR.map(part => [part, String(part)])}
                onChange={minutes => {
                  set({ minutes });
                }}
              />
            )}
          </Field>
        )}
        {simple.unit === 'hour' && (
          <Field label={trans.__('At minute')}>
            {field => (
              <input
                {...field}
                type="number"
                min={0}
                max={59}
                className="jp-Pipelines-input"
                value={simple.minute}
                onChange={event => {
                  const minute = Math.trunc(Number(event.target.value));
                  set({ minute: Math.min(59, Math.max(0, minute)) });
                }}
              />
            )}
          </Field>
        )}
      </div>
      {simple.unit === 'week' && (
        <Weekdays
          chosen={simple.weekdays}
          problem={problemOf('weekdays') && trans.__('Choose a day.')}
          onChange={weekdays => {
            set({ weekdays });
          }}
          trans={trans}
        />
      )}
      {(simple.unit === 'month' || simple.unit === 'nth') && (
        <OfMonth simple={simple} set={set} trans={trans} />
      )}
    </>
  );
}

/** Which day of the month: a date, or the first Monday. */
function OfMonth(props: {
  simple: ISimple;
  set: (changes: Partial<ISimple>) => void;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { simple, set, trans } = props;
  const dated = simple.unit === 'month';
  const dates = Array.from({ length: 31 }, (_, index): [number, string] => [
    index + 1,
    String(index + 1)
  ]);
  const which: [number, string][] = [
    [0, trans.__('the day')],
    ...[1, 2, 3, 4, -1].map((nth): [number, string] => [
      nth,
      nthName(nth, trans)
    ])
  ];
  return (
    <div className="jp-Pipelines-fields">
      <Field label={trans.__('On')}>
        {field => (
          <Select
            {...field}
            value={dated ? 0 : simple.nth}
            choices={which}
            onChange={nth => {
              set(nth === 0 ? { unit: 'month' } : { unit: 'nth', nth });
            }}
          />
        )}
      </Field>
      <Field
        label={trans.__('Day')}
        hint={
          dated &&
          simple.day > 28 &&
          trans.__('Months without it are left out.')
        }
      >
        {field =>
          dated ? (
            <Select
              {...field}
              value={simple.day}
              choices={[...dates, [-1, trans.__('last')]]}
              onChange={day => {
                set({ day });
              }}
            />
          ) : (
            <Select
              {...field}
              value={simple.nthWeekday}
              choices={WEEK.map(day => [day, weekdayName(day)])}
              onChange={nthWeekday => {
                set({ nthWeekday });
              }}
            />
          )
        }
      </Field>
    </div>
  );
}

function Weekdays(props: {
  chosen: readonly number[];
  problem: string;
  onChange: (chosen: number[]) => void;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { chosen, problem, onChange, trans } = props;
  return (
    <div className="jp-Pipelines-field">
      <div
        className="jp-Pipelines-choices"
        role="group"
        aria-label={trans.__('Days of the week')}
      >
        {WEEK.map(day => (
          <label key={day} title={weekdayName(day)}>
            <input
              type="checkbox"
              aria-label={weekdayName(day)}
              checked={chosen.includes(day)}
              onChange={event => {
                onChange(
                  event.target.checked
                    ? [...chosen, day]
                    : chosen.filter(each => each !== day)
                );
              }}
            />
            <span>{weekdayName(day, 'short')}</span>
          </label>
        ))}
      </div>
      <div role="alert" className="jp-Pipelines-fieldProblem">
        {problem}
      </div>
    </div>
  );
}

export function Cron(props: IPartProps & { words: string }): React.JSX.Element {
  const { draft, change, problemOf, trans, words } = props;
  return (
    <Field
      label={trans.__('Cron expression, or words')}
      problem={problemOf('cron')}
      hint={
        words || trans.__('For example 0 7 * * 1-5, or “first monday at 9:00”.')
      }
    >
      {field => (
        <input
          {...field}
          type="text"
          data-first
          className="jp-Pipelines-input jp-mod-code"
          spellCheck={false}
          autoComplete="off"
          value={draft.cron}
          onChange={event => {
            change({ cron: event.target.value, rule: null });
          }}
        />
      )}
    </Field>
  );
}

export function Interval(props: IPartProps): React.JSX.Element {
  const { draft, change, problemOf, trans } = props;
  const units: [SpanUnit, string][] = [
    ['m', trans.__('minutes')],
    ['h', trans.__('hours')],
    ['d', trans.__('days')]
  ];
  return (
    <>
      <div className="jp-Pipelines-fields">
        <Field label={trans.__('Every')} problem={problemOf('interval')}>
          {field => (
            <input
              {...field}
              type="text"
              inputMode="numeric"
              data-first
              className="jp-Pipelines-input"
              value={draft.every}
              onChange={event => {
                change({ every: event.target.value });
              }}
            />
          )}
        </Field>
        <Field label={trans.__('Unit')}>
          {field => (
            <Select
              {...field}
              value={draft.everyUnit}
              choices={units}
              onChange={everyUnit => {
                change({ everyUnit });
              }}
            />
          )}
        </Field>
      </div>
      <Field
        label={trans.__('Counted from')}
        problem={problemOf('anchor')}
        hint={draft.anchor ? '' : trans.__('From midnight on, unless you say.')}
      >
        {field => (
          <input
            {...field}
            type="datetime-local"
            className="jp-Pipelines-input"
            value={draft.anchor}
            onChange={event => {
              change({ anchor: event.target.value });
            }}
          />
        )}
      </Field>
    </>
  );
}

/** Texts, one added after the other. What is in the field when it is left is added, too. */
function Texts(props: {
  label: string;
  add: string;
  values: readonly string[];
  /** Offered while one types. */
  offered: readonly string[];
  problem: string;
  hint: string;
  onChange: (values: string[]) => void;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { label, values, offered, problem, hint, onChange, trans } = props;
  const [text, setText] = React.useState('');
  const listed = React.useId();
  const add = (value: string): void => {
    const trimmed = value.trim();
    setText('');
    if (trimmed && !values.includes(trimmed)) {
      onChange([...values, trimmed]);
    }
  };
  return (
    <>
      <Field label={label} problem={problem} hint={hint}>
        {field => (
          <span className="jp-Pipelines-adding">
            <input
              {...field}
              type="text"
              data-first
              list={listed}
              className="jp-Pipelines-input"
              spellCheck={false}
              autoComplete="off"
              value={text}
              onChange={event => {
                const { value } = event.target;
                // Chosen from the list, it is meant.
                if (offered.includes(value)) {
                  add(value);
                } else {
                  setText(value);
                }
              }}
              onBlur={() => {
                add(text);
              }}
              onKeyDown={event => {
                if (event.key === 'Enter' && text.trim()) {
                  event.preventDefault();
                  add(text);
                }
              }}
            />
            <Button
              disabled={!text.trim()}
              onClick={() => {
                add(text);
              }}
            >
              {props.add}
            </Button>
          </span>
        )}
      </Field>
      <datalist id={listed}>
        {offered
          .filter(each => !values.includes(each))
          .map(each => (
            <option key={each} value={each} />
          ))}
      </datalist>
      {values.length > 0 && (
        <ul className="jp-Pipelines-texts">
          {values.map(value => (
            <li key={value}>
              <span title={value}>{value}</span>
              <IconButton
                icon={closeIcon}
                label={trans.__('Remove %1', value)}
                onClick={() => {
                  onChange(values.filter(each => each !== value));
                }}
              />
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

export function After(
  props: IPartProps & { pipelines: readonly string[] }
): React.JSX.Element {
  const { draft, change, problemOf, trans, pipelines } = props;
  return (
    <>
      <Texts
        label={trans.__('After runs of')}
        add={trans.__('Add')}
        values={draft.after}
        offered={pipelines}
        problem={problemOf('after')}
        hint={
          draft.after.length === 0
            ? trans.__('The path of another notebook, such as sales.ipynb.')
            : ''
        }
        onChange={after => {
          change({ after });
        }}
        trans={trans}
      />
      <Field label={trans.__('That have')}>
        {field => (
          <Select
            {...field}
            value={draft.on}
            choices={[
              ['success', trans.__('completed')],
              ['failure', trans.__('failed')],
              ['always', trans.__('ended, either way')]
            ]}
            onChange={on => {
              change({ on });
            }}
          />
        )}
      </Field>
      {draft.after.length > 1 && (
        <Choices
          label={trans.__('How many of them')}
          value={draft.allOf ? 'all' : 'any'}
          choices={[
            ['any', trans.__('Any of them')],
            ['all', trans.__('All of them')]
          ]}
          onChange={value => {
            change({ allOf: value === 'all' });
          }}
        />
      )}
    </>
  );
}

export function OnEvent(
  props: IPartProps & { pipelines: readonly string[] }
): React.JSX.Element {
  const { draft, change, problemOf, trans, pipelines } = props;
  return (
    <>
      <Field label={trans.__('When')}>
        {field => (
          <Select
            {...field}
            data-first
            value={draft.event}
            choices={[
              ['file', trans.__('a file comes or changes')],
              ['update', trans.__('a run updates a file or table')],
              ['token', trans.__('somebody asks by a token')],
              ['event', trans.__('the Prefect server has an event')]
            ]}
            onChange={event => {
              change({ event });
            }}
          />
        )}
      </Field>
      {draft.event === 'file' && (
        <>
          <Field
            label={trans.__('Files')}
            problem={problemOf('file')}
            hint={trans.__(
              'A pattern below the notebook’s folder, such as incoming/*.csv.'
            )}
          >
            {field => (
              <input
                {...field}
                type="text"
                className="jp-Pipelines-input jp-mod-code"
                spellCheck={false}
                value={draft.file}
                onChange={event => {
                  change({ file: event.target.value });
                }}
              />
            )}
          </Field>
          <Choices
            label={trans.__('How many runs')}
            value={draft.together ? 'one' : 'each'}
            choices={[
              ['each', trans.__('One run per file')],
              ['one', trans.__('One for all new')]
            ]}
            onChange={value => {
              change({ together: value === 'one' });
            }}
          />
        </>
      )}
      {draft.event === 'update' && (
        <Texts
          label={trans.__('Files, tables, or values of other notebooks')}
          add={trans.__('Add')}
          values={draft.updated}
          offered={['table:', ...pipelines.map(path => `${path}:`)]}
          problem={problemOf('update')}
          hint={trans.__(
            'A pattern such as data/*.parquet; or NOTEBOOK:NAME for what a notebook calls NAME, such as sales.ipynb:totals; or table:NAME for a table of the warehouse, such as table:mart.orders.'
          )}
          onChange={updated => {
            change({ updated, reads: false });
          }}
          trans={trans}
        />
      )}
      {draft.event === 'token' && (
        <p className="jp-Pipelines-hint">
          {trans.__(
            'You are shown a secret address once, after saving. Who sends a request to it starts a run.'
          )}
        </p>
      )}
      {draft.event === 'event' && (
        <Field
          label={trans.__('Name of the event')}
          problem={problemOf('event')}
          hint={trans.__('For example orders.loaded, or orders.* for any.')}
        >
          {field => (
            <input
              {...field}
              type="text"
              className="jp-Pipelines-input jp-mod-code"
              spellCheck={false}
              value={draft.eventName}
              onChange={event => {
                change({ eventName: event.target.value });
              }}
            />
          )}
        </Field>
      )}
    </>
  );
}
