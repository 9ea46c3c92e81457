/** What is known of a step, and its options, in a small form at its pill. */
import { ReactWidget } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { ILiveValue, IStepBrief } from '../../api';
import {
  Button,
  Choices,
  duration,
  Field,
  instant,
  relative,
  StateChip,
  stepStyle
} from '../../ui';
import { inWords } from '../values/model';
import {
  type Field as FieldName,
  type IStepOptions,
  wrongFields
} from './options';

interface IOptionsProps {
  step: string;
  order: number;
  /** How the step was last; `null` when it never ran. */
  last: IStepBrief | null;
  options: IStepOptions;
  /** What it hands on, as far as the notebook's kernel has it: name and value. */
  values: readonly (readonly [string, ILiveValue])[];
  /** The other steps, in the notebook's order. */
  others: readonly string[];
  /** `null` when the author gives up. */
  onDone: (options: IStepOptions | null) => void;
  trans: TranslationBundle;
}

function LastRun(props: {
  last: IStepBrief | null;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { last, trans } = props;
  if (!last) {
    return <span className="jp-Pipelines-hint">{trans.__('never run')}</span>;
  }
  const ended = instant(last.ended);
  return (
    <>
      <StateChip state={last.state} trans={trans} />
      {ended && (
        <span className="jp-Pipelines-hint">
          {duration(last.ended - last.started)} · {relative(ended)}
        </span>
      )}
    </>
  );
}

/** What the step hands on. */
function Values(props: {
  values: IOptionsProps['values'];
  trans: TranslationBundle;
}): React.JSX.Element | null {
  const { values, trans } = props;
  if (values.length === 0) {
    return null;
  }
  return (
    <dl
      className="jp-Pipelines-values"
      aria-label={trans.__('What the step hands on, as the kernel has it now')}
    >
      {values.map(([name, value]) => (
        <React.Fragment key={name}>
          <dt>
            <code>{name}</code>
          </dt>
          <dd>
            {inWords(value)}
            {!value.carried && (
              <span className="jp-Pipelines-fieldProblem">
                {' '}
                {trans.__('cannot be handed on: %1', value.reason)}
              </span>
            )}
          </dd>
        </React.Fragment>
      ))}
    </dl>
  );
}

/** Which steps must have ended before, besides those whose values are needed anyway. */
function After(props: {
  others: readonly string[];
  after: readonly string[];
  onChange: (after: string[]) => void;
  trans: TranslationBundle;
}): React.JSX.Element | null {
  const { others, after, onChange, trans } = props;
  // A name that is no step's (any more) is shown, so that it can be taken off.
  const names = [...others, ...after.filter(name => !others.includes(name))];
  if (names.length === 0) {
    return null;
  }
  return (
    <fieldset className="jp-Pipelines-after">
      <legend>{trans.__('Only after')}</legend>
      <div>
        {names.map(name => (
          <label key={name}>
            <input
              type="checkbox"
              checked={after.includes(name)}
              onChange={event => {
                onChange(
                  event.target.checked
                    ? [...after, name]
                    : after.filter(other => other !== name)
                );
              }}
            />
            <span>{name}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

function OptionsForm(props: IOptionsProps): React.JSX.Element {
  const { step, order, last, others, onDone, trans } = props;
  const [options, setOptions] = React.useState(props.options);
  const [asked, setAsked] = React.useState(false);
  const form = React.useRef<HTMLFormElement>(null);
  const wrong = wrongFields(options);
  const set = (change: Partial<IStepOptions>): void => {
    setOptions({ ...options, ...change });
  };
  React.useEffect(() => {
    form.current?.scrollIntoView({ block: 'nearest' });
    form.current?.querySelector('input')?.focus({ preventScroll: true });
  }, []);
  const durationHint = trans.__('Such as 30s, 10m, 1h30m.');
  const field = (
    name: FieldName,
    label: string,
    placeholder: string,
    problem: string
  ): React.JSX.Element => (
    <Field
      label={label}
      inline
      problem={
        wrong.has(name) && (asked || options[name].length > 2) ? problem : ''
      }
    >
      {attributes => (
        <input
          {...attributes}
          className="jp-Pipelines-input"
          type="text"
          inputMode={name === 'retries' ? 'numeric' : 'text'}
          spellCheck={false}
          autoComplete="off"
          placeholder={placeholder}
          value={options[name]}
          onChange={event => {
            set({ [name]: event.target.value.trim() });
          }}
        />
      )}
    </Field>
  );
  return (
    <form
      ref={form}
      className="jp-Pipelines-options"
      aria-label={trans.__('Options of step %1', step)}
      style={stepStyle(order)}
      noValidate
      onKeyDown={event => {
        event.stopPropagation();
        if (event.key === 'Escape') {
          event.preventDefault();
          onDone(null);
        }
      }}
      onSubmit={event => {
        event.preventDefault();
        setAsked(true);
        if (wrong.size === 0) {
          onDone(options);
        }
      }}
    >
      <header>
        <strong>{step}</strong>
        <LastRun last={last} trans={trans} />
      </header>
      <Values values={props.values} trans={trans} />
      {field(
        'retries',
        trans.__('Retries'),
        trans.__('none'),
        trans.__('A whole number up to 1000.')
      )}
      {field(
        'retry_delay',
        trans.__('Wait between'),
        trans.__('no time'),
        durationHint
      )}
      {field('timeout', trans.__('Time limit'), trans.__('none'), durationHint)}
      {field(
        'resources',
        trans.__('Resources'),
        trans.__('none; such as database'),
        trans.__('Names, with commas between: letters, digits, - and _.')
      )}
      <div className="jp-Pipelines-field" data-inline>
        <span>{trans.__('Results')}</span>
        <Choices
          label={trans.__('Results')}
          value={String(options.cache)}
          choices={[
            ['null', trans.__('default')],
            ['true', trans.__('reuse')],
            ['false', trans.__('always new')]
          ]}
          onChange={value => {
            set({ cache: value === 'null' ? null : value === 'true' });
          }}
        />
      </div>
      <After
        others={others}
        after={options.after}
        trans={trans}
        onChange={after => {
          set({ after });
        }}
      />
      <footer>
        <Button
          onClick={() => {
            onDone(null);
          }}
        >
          {trans.__('Cancel')}
        </Button>
        <Button kind="primary" submit>
          {trans.__('Apply')}
        </Button>
      </footer>
    </form>
  );
}

export class OptionsWidget extends ReactWidget {
  constructor(private readonly _props: IOptionsProps) {
    super();
    this.addClass('jp-Pipelines-popover');
  }

  protected override render(): React.JSX.Element {
    return <OptionsForm {...this._props} />;
  }
}
