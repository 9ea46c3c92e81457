/** How many runs go on at once, and how long they are kept. */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { ILimit, IRetention } from '../../api';
import type { ILive } from '../../tokens';
import {
  Button,
  ErrorNotice,
  Field,
  Part,
  StaleNotice,
  useAction,
  useLive
} from '../../ui';
import type { ISectionProps } from '../panel/context';

/** Numbers that are set together, by a button: each may be left empty for no limit. */
function Numbers<T extends string>(props: {
  fields: readonly (readonly [T, string])[];
  /** As it is on the server. */
  values: Readonly<Record<T, number | null>>;
  save: (values: Record<T, number | null>) => Promise<unknown>;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { fields, values, save, trans } = props;
  const action = useAction();
  const [texts, setTexts] = React.useState<Partial<Record<T, string>>>({});
  const textOf = (name: T): string =>
    texts[name] ?? (values[name] === null ? '' : String(values[name]));
  const changed = fields.some(
    ([name]) => textOf(name) !== String(values[name] ?? '')
  );
  const isWrong = (name: T): boolean => {
    const text = textOf(name).trim();
    return text !== '' && !(Number(text) > 0);
  };
  return (
    <form
      className="jp-Pipelines-form"
      noValidate
      onSubmit={event => {
        event.preventDefault();
        if (changed && !fields.some(([name]) => isWrong(name))) {
          action.start(async () => {
            const numbers = fields.map(([name]) => {
              const text = textOf(name).trim();
              return [name, text === '' ? null : Number(text)] as const;
            });
            await save(Object.fromEntries(numbers) as Record<T, number | null>);
            setTexts({});
          });
        }
      }}
    >
      {fields.map(([name, label]) => (
        <Field
          key={name}
          label={label}
          problem={
            isWrong(name) ? trans.__('Write a number above 0, or nothing.') : ''
          }
        >
          {field => (
            <input
              {...field}
              type="text"
              inputMode="decimal"
              className="jp-Pipelines-input"
              placeholder={trans.__('no limit')}
              value={textOf(name)}
              onChange={event => {
                setTexts({ ...texts, [name]: event.target.value });
              }}
            />
          )}
        </Field>
      ))}
      <ErrorNotice error={action.error} />
      {changed && (
        <div className="jp-Pipelines-formEnd">
          <Button kind="primary" submit disabled={action.busy}>
            {trans.__('Set')}
          </Button>
          <Button
            onClick={() => {
              setTexts({});
              action.clear();
            }}
          >
            {trans.__('Cancel')}
          </Button>
        </div>
      )}
    </form>
  );
}

function useOwnLive<T>(make: () => ILive<T>): ILive<T> {
  // eslint-disable-next-line react-hooks/exhaustive-deps -- one for as long as it is shown
  return useLive(React.useMemo(make, []));
}

/** The limit of a notebook's runs; a pipeline may go by a name. */
export function limitOf(
  limits: readonly ILimit[],
  names: readonly string[]
): ILimit | null {
  return (
    limits.find(
      ({ kind, name }) => kind === 'pipeline' && names.includes(name)
    ) ?? null
  );
}

function AtOnceFields(props: ISectionProps): React.JSX.Element {
  const { records, notebook, trans } = props;
  const limits = useOwnLive(() =>
    records.live(
      signal => records.api.limits(signal),
      event => event.kind === 'run'
    )
  );
  const path = notebook.notebook;
  const pipeline = notebook.versions.value?.[0]?.pipeline ?? path;
  const limit = limits.value && limitOf(limits.value, [path, pipeline]);
  return (
    <>
      <StaleNotice live={limits} trans={trans} />
      {limits.value && (
        <Numbers
          fields={[['slots', trans.__('Runs at once, at most')]]}
          values={{ slots: limit?.slots ?? null }}
          save={async ({ slots }) => {
            await records.api.setLimit(path, slots);
            await limits.refresh();
          }}
          trans={trans}
        />
      )}
      {limit && limit.running.length + limit.waiting.length > 0 && (
        <p className="jp-Pipelines-hint">
          {trans.__(
            '%1 running, %2 waiting',
            limit.running.length,
            limit.waiting.length
          )}
        </p>
      )}
    </>
  );
}

const MEGABYTE = 1_000_000;

function KeptFields(props: ISectionProps): React.JSX.Element {
  const { records, notebook, trans } = props;
  const path = notebook.notebook;
  const retention = useOwnLive(() =>
    records.live(
      signal => records.api.retention(path, signal),
      () => false
    )
  );
  const { value } = retention;
  return (
    <>
      <StaleNotice live={retention} trans={trans} />
      {value && (
        <Numbers
          fields={[
            ['runs', trans.__('Keep the newest runs')],
            ['days', trans.__('Keep runs for days')],
            ['megabytes', trans.__('Keep at most, in MB')]
          ]}
          values={{
            runs: value.keep_runs,
            days: value.keep_days,
            megabytes: value.keep_size && value.keep_size / MEGABYTE
          }}
          save={async ({ runs, days, megabytes }) => {
            const kept: IRetention = {
              keep_runs: runs,
              keep_days: days,
              keep_size: megabytes && Math.round(megabytes * MEGABYTE)
            };
            retention.set(await records.api.setRetention(kept, path));
          }}
          trans={trans}
        />
      )}
      <p className="jp-Pipelines-hint">
        {trans.__('A run that is marked as kept is never removed.')}
      </p>
    </>
  );
}

export function Bounds(props: ISectionProps): React.JSX.Element {
  const { trans } = props;
  return (
    <>
      <Part title={trans.__('Runs at once')}>
        <AtOnceFields {...props} />
      </Part>
      <Part title={trans.__('How long runs are kept')}>
        <KeptFields {...props} />
      </Part>
    </>
  );
}
