/** What is filled in to ask for a backfill. */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type {
  ApiError,
  IBackfillDetail,
  IParameter,
  ISchedule,
  Window
} from '../../api';
import { Choices, Field, LinkButton, Notice } from '../../ui';
import { windowBindings } from '../parameters/bound';
import { ParameterFields } from '../parameters/fields';
import { fieldOf, textOf, withGiven } from '../parameters/model';
import { type IDraft, lastDays, presetsOf, problemsOf } from './model';

interface IFormProps {
  draft: IDraft;
  onChange: (change: Partial<IDraft>) => void;
  /** What the server says of the draft; `null` for nothing. */
  error: ApiError | null;
  /** What it would do, as far as that is known. */
  preview: IBackfillDetail | null;
  parameters: readonly IParameter[];
  schedules: readonly ISchedule[];
  trans: TranslationBundle;
}

/** Is what is wrong said at a field of the form? */
export function hasField(
  { field }: ApiError,
  draft: IDraft,
  parameters: readonly IParameter[]
): boolean {
  const timing = draft.schedule ? ['schedule'] : ['window', 'timezone'];
  return (
    ['first', 'last', 'parallel', ...timing].includes(field) ||
    parameters.some(({ name }) => field === `parameters.${name}`)
  );
}

function useProblem(props: IFormProps): (field: string) => string {
  const { draft, error, trans } = props;
  const own: Record<string, string | undefined> = problemsOf(draft, trans);
  return field =>
    own[field] ??
    (error?.field === field ? `${error.message} ${error.fix}`.trim() : '');
}

function Range(props: IFormProps): React.JSX.Element {
  const { draft, onChange, schedules, trans } = props;
  const problem = useProblem(props);
  const type = draft.window === 'hour' ? 'datetime-local' : 'date';
  const windows: [Window, string][] = [
    ['hour', trans.__('Hour')],
    ['day', trans.__('Day')],
    ['week', trans.__('Week')],
    ['month', trans.__('Month')],
    ['quarter', trans.__('Quarter')],
    ['year', trans.__('Year')]
  ];
  const own = schedules.filter(({ schedule }) => schedule.window);
  const field = (name: 'first' | 'last', label: string): React.JSX.Element => (
    <Field label={label} problem={problem(name)}>
      {attributes => (
        <input
          {...attributes}
          className="jp-Pipelines-input"
          type={type}
          value={draft[name]}
          onChange={event => {
            onChange({ [name]: event.target.value });
          }}
        />
      )}
    </Field>
  );
  return (
    <fieldset>
      <legend>{trans.__('Range')}</legend>
      <div className="jp-Pipelines-formPair">
        {field('first', trans.__('From'))}
        {field('last', trans.__('To, included'))}
      </div>
      <p className="jp-Pipelines-presets">
        {[7, 30, 90].map(days => (
          <LinkButton
            key={days}
            onClick={() => {
              onChange({ ...lastDays(days), window: 'day' });
            }}
          >
            {trans.__('Last %1 days', days)}
          </LinkButton>
        ))}
      </p>
      {own.length > 0 && (
        <Field
          label={trans.__('Windows and parameters')}
          problem={problem('schedule')}
        >
          {attributes => (
            <select
              {...attributes}
              className="jp-Pipelines-input"
              value={draft.schedule}
              onChange={event => {
                onChange({ schedule: event.target.value });
              }}
            >
              <option value="">{trans.__('Chosen here')}</option>
              {own.map(({ id, name, words }) => (
                <option key={id} value={id}>
                  {trans.__('As in “%1”', name || words)}
                </option>
              ))}
            </select>
          )}
        </Field>
      )}
      {!draft.schedule && (
        <div className="jp-Pipelines-formPair">
          <Field label={trans.__('A run for each')} problem={problem('window')}>
            {attributes => (
              <select
                {...attributes}
                className="jp-Pipelines-input"
                value={draft.window}
                onChange={event => {
                  onChange({ window: event.target.value as Window });
                }}
              >
                {windows.map(([value, word]) => (
                  <option key={value} value={value}>
                    {word}
                  </option>
                ))}
              </select>
            )}
          </Field>
          <TimeZone {...props} problem={problem('timezone')} />
        </div>
      )}
    </fieldset>
  );
}

function TimeZone(props: IFormProps & { problem: string }): React.JSX.Element {
  const { draft, onChange, problem, trans } = props;
  const list = React.useId();
  return (
    <Field label={trans.__('Time zone')} problem={problem}>
      {attributes => (
        <>
          <input
            {...attributes}
            className="jp-Pipelines-input"
            list={list}
            value={draft.timezone}
            spellCheck={false}
            placeholder={trans.__('That of the server')}
            onChange={event => {
              onChange({ timezone: event.target.value });
            }}
          />
          <datalist id={list}>
            {['UTC', ...Intl.supportedValuesOf('timeZone')].map(zone => (
              <option key={zone} value={zone} />
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}

function Parameters(props: IFormProps): React.JSX.Element {
  const { draft, onChange, parameters, preview, schedules, trans } = props;
  const problem = useProblem(props);
  if (parameters.length === 0) {
    return (
      <Notice tone="warning">
        {trans.__(
          'The notebook has no parameters, so that every run does the same. Tag a cell as parameters, and give it the window there.'
        )}
      </Notice>
    );
  }
  return (
    <fieldset>
      <legend>{trans.__('Parameters')}</legend>
      <ParameterFields
        parameters={parameters}
        given={draft.parameters}
        presets={presetsOf(draft, schedules, parameters)}
        refused={Object.fromEntries(
          parameters.map(({ name }) => [name, problem(`parameters.${name}`)])
        )}
        bindings={windowBindings(trans)}
        outlook={name => {
          const values = preview?.windows.map(window =>
            textOf(window.parameters[name] ?? null)
          );
          const first = values?.[0];
          const last = values?.at(-1);
          return first === undefined || last === undefined
            ? ''
            : first === last
              ? first
              : trans.__('%1 … %2', first, last);
        }}
        trans={trans}
        onChange={(name, given) => {
          const parameter = parameters.find(one => one.name === name);
          const secret = parameter && fieldOf(parameter).kind === 'secret';
          onChange({
            parameters: withGiven(draft.parameters, name, given),
            ...(secret
              ? { secrets: [...new Set([...draft.secrets, name])] }
              : {})
          });
        }}
      />
    </fieldset>
  );
}

function Check(props: {
  label: string;
  hint: string;
  checked: boolean;
  onChange: (checked: boolean) => void;
}): React.JSX.Element {
  const { label, hint, checked, onChange } = props;
  return (
    <label className="jp-Pipelines-backfillCheck">
      <input
        type="checkbox"
        checked={checked}
        onChange={event => {
          onChange(event.target.checked);
        }}
      />
      <span>
        {label}
        <span className="jp-Pipelines-hint">{hint}</span>
      </span>
    </label>
  );
}

export function BackfillForm(props: IFormProps): React.JSX.Element {
  const { draft, onChange, trans } = props;
  const problem = useProblem(props);
  return (
    <div className="jp-Pipelines-backfillForm">
      <Range {...props} />
      <Parameters {...props} />
      <fieldset>
        <legend>{trans.__('How')}</legend>
        <Choices
          label={trans.__('Order')}
          value={draft.order}
          choices={[
            ['oldest-first', trans.__('Oldest first')],
            ['newest-first', trans.__('Newest first')]
          ]}
          onChange={order => {
            onChange({ order });
          }}
        />
        <Field
          label={trans.__('Windows at once')}
          problem={problem('parallel')}
          inline
        >
          {attributes => (
            <input
              {...attributes}
              className="jp-Pipelines-input"
              type="number"
              min={1}
              max={64}
              value={draft.parallel}
              onChange={event => {
                onChange({ parallel: event.target.value });
              }}
            />
          )}
        </Field>
        <Check
          label={trans.__('Keep going')}
          hint={trans.__('A window that fails does not stop the others.')}
          checked={draft.keepGoing}
          onChange={keepGoing => {
            onChange({ keepGoing });
          }}
        />
        <Check
          label={trans.__('Run again what is done')}
          hint={trans.__(
            'Otherwise windows that a run has completed are left alone.'
          )}
          checked={draft.again}
          onChange={again => {
            onChange({ again });
          }}
        />
        {!draft.schedule && (
          <Check
            label={trans.__('Run the file as it is saved')}
            hint={trans.__(
              'Otherwise the published version, where there is one.'
            )}
            checked={draft.version === 'file'}
            onChange={file => {
              onChange({ version: file ? 'file' : '' });
            }}
          />
        )}
      </fieldset>
    </div>
  );
}
