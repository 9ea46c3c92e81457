/** How many runs go on at once, and how long they are kept. */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { IFreed, ILimit, IPipeline, IRetention } from '../../api';
import type { ILive, IRecords } from '../../tokens';
import {
  bytes,
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

/** Who has the slots of a limit, and who waits for one; nothing where there is nobody. */
function SlotsTaken(props: {
  limit: ILimit;
  trans: TranslationBundle;
}): React.JSX.Element | null {
  const { running, waiting } = props.limit;
  return running.length + waiting.length > 0 ? (
    <p className="jp-Pipelines-hint">
      {props.trans.__('%1 running, %2 waiting', running.length, waiting.length)}
    </p>
  ) : null;
}

/** What the steps of a pipeline need a slot of. */
export function resourcesOf({ steps }: IPipeline): string[] {
  return [...new Set(steps.flatMap(step => step.options?.resources ?? []))];
}

function AtOnceFields(props: ISectionProps): React.JSX.Element {
  const { records, notebook, pipeline: compiled, trans } = props;
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
            await records.api.setLimit({ notebook: path }, slots);
            await limits.refresh();
          }}
          trans={trans}
        />
      )}
      {limit && <SlotsTaken limit={limit} trans={trans} />}
      {resourcesOf(compiled).map(name => {
        const found = limits.value?.find(
          one => one.kind === 'resource' && one.name === name
        );
        return (
          limits.value && (
            <React.Fragment key={name}>
              <Numbers
                fields={[['slots', trans.__('Steps that need “%1”', name)]]}
                // One, where nothing was set.
                values={{ slots: found?.slots ?? 1 }}
                save={async ({ slots }) => {
                  await records.api.setLimit({ resource: name }, slots);
                  await limits.refresh();
                }}
                trans={trans}
              />
              {found && <SlotsTaken limit={found} trans={trans} />}
            </React.Fragment>
          )
        );
      })}
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
        {trans.__(
          'Runs beyond these limits go within hours. One that is marked as kept is never removed.'
        )}
      </p>
      <Garbage records={records} trans={trans} />
    </>
  );
}

/** What would go now of the runs of all notebooks, and having it go. */
function Garbage(props: {
  records: IRecords;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { api } = props.records;
  const { trans } = props;
  const action = useAction();
  const [freed, setFreed] = React.useState<IFreed | null>(null);
  const [removed, setRemoved] = React.useState(false);
  const ask = (remove: boolean): void => {
    action.start(async () => {
      setFreed(await (remove ? api.removeGarbage() : api.garbage()));
      setRemoved(remove);
    });
  };
  const something =
    freed !== null && (freed.runs.length > 0 || freed.bytes > 0);
  return (
    <>
      {freed && (
        <p role="status">
          {removed
            ? trans._n(
                'Removed %1 run, %2.',
                'Removed %1 runs, %2.',
                freed.runs.length,
                bytes(freed.bytes)
              )
            : something
              ? trans._n(
                  '%1 run of all notebooks would go, %2.',
                  '%1 runs of all notebooks would go, %2.',
                  freed.runs.length,
                  bytes(freed.bytes)
                )
              : trans.__('Nothing is beyond the limits.')}{' '}
          {trans.__('What stays takes %1.', bytes(freed.kept_bytes))}
        </p>
      )}
      <ErrorNotice error={action.error} />
      <div className="jp-Pipelines-formEnd">
        {something && !removed ? (
          <Button
            disabled={action.busy}
            onClick={() => {
              ask(true);
            }}
          >
            {action.busy ? trans.__('Removing…') : trans.__('Remove now')}
          </Button>
        ) : (
          <Button
            disabled={action.busy}
            onClick={() => {
              ask(false);
            }}
          >
            {action.busy ? trans.__('Looking…') : trans.__('What would go?')}
          </Button>
        )}
      </div>
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
