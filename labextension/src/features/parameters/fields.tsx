/** Parameters as typed fields; for runs by hand, and for whatever else gives parameters. */
import { undoIcon } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { IParameter } from '../../api';
import type { AllGiven, Given } from '../../tokens';
import { IconButton, Message, Switch } from '../../ui';
import {
  fieldOf,
  type IParameterField,
  type Problem,
  understand
} from './model';

export interface IParameterFieldsProps {
  parameters: readonly IParameter[];
  given: AllGiven;
  /** `undefined`: as the notebook has it. */
  onChange: (name: string, given: Given | undefined) => void;
  /** What the server found wrong, by name. */
  refused?: Readonly<Record<string, string>>;
  /** Texts with `{{ … }}` stand for dates of a data window: they may be in any field. */
  templates?: boolean;
  trans: TranslationBundle;
}

// Python's word: not to be translated.
const NONE = 'None';

export function wordsOf(problem: Problem, trans: TranslationBundle): string {
  const words: Record<Problem, string> = {
    required: trans.__('Give a value: there is no default.'),
    integer: trans.__('Write a whole number, such as 42.'),
    'too-large': trans.__(
      'A number this large cannot be sent exactly: at most 9007199254740991.'
    ),
    number: trans.__('Write a number, such as 0.5.'),
    date: trans.__('Write a date, such as 2027-01-31.'),
    'date-time': trans.__('Write a date and a time, such as 2027-01-31T08:30.'),
    choice: trans.__('Choose one of the list.'),
    json: trans.__('Write it as JSON.'),
    list: trans.__('Write a list as JSON, such as `["a", "b"]`.'),
    object: trans.__('Write it as JSON, such as `{"a": 1}`.')
  };
  return words[problem];
}

interface IControlProps {
  field: IParameterField;
  value: Given;
  onGive: (given: Given) => void;
  attributes: {
    id: string;
    'aria-invalid': true | undefined;
    'aria-describedby': string | undefined;
  };
  placeholder: string;
  trans: TranslationBundle;
}

/** The browser's picker takes these; a time with a zone is text. */
const LOCAL_TIME = /^(?:\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2})?)?$/;

function inputType(field: IParameterField, value: string): string {
  switch (field.kind) {
    case 'date':
      return /^(?:\d{4}-\d{2}-\d{2})?$/.test(value) ? 'date' : 'text';
    case 'date-time':
      return LOCAL_TIME.test(value) ? 'datetime-local' : 'text';
    case 'secret':
      return 'password';
    default:
      return 'text';
  }
}

function Control(props: IControlProps): React.JSX.Element {
  const { field, value, onGive, attributes, placeholder, trans } = props;
  const text = value ?? '';
  const isNone = value === null;
  const templated = text.includes('{{');
  const common = {
    ...attributes,
    placeholder: isNone ? NONE : placeholder,
    onChange: (
      event: React.ChangeEvent<
        HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement
      >
    ) => {
      onGive(event.target.value);
    }
  };
  if (field.kind === 'switch' && !isNone && !templated) {
    return (
      <Switch
        label={field.name}
        checked={text === 'true'}
        onChange={checked => {
          onGive(String(checked));
        }}
      />
    );
  }
  if (field.kind === 'choice' && !templated) {
    return (
      <select className="jp-Pipelines-input" value={text} {...common}>
        {isNone && <option value="">{NONE}</option>}
        {!isNone &&
          !field.choices.some(one => JSON.stringify(one) === text) && (
            <option value={text}>{text || trans.__('Choose…')}</option>
          )}
        {field.choices.map(choice => (
          <option key={JSON.stringify(choice)} value={JSON.stringify(choice)}>
            {typeof choice === 'string' ? choice : JSON.stringify(choice)}
          </option>
        ))}
      </select>
    );
  }
  if (field.kind === 'list' || field.kind === 'object') {
    return (
      <textarea
        className="jp-Pipelines-input jp-mod-code"
        rows={Math.min(6, Math.max(1, Math.ceil(text.length / 28)))}
        spellCheck={false}
        value={text}
        {...common}
      />
    );
  }
  const number = field.kind === 'integer' || field.kind === 'number';
  return (
    <input
      className="jp-Pipelines-input jp-mod-code"
      type={isNone ? 'text' : inputType(field, text)}
      inputMode={number ? 'decimal' : undefined}
      autoComplete="off"
      spellCheck={false}
      value={text}
      {...common}
    />
  );
}

function ParameterRow(
  props: Omit<IParameterFieldsProps, 'parameters' | 'refused'> & {
    parameter: IParameter;
    refused: string;
  }
): React.JSX.Element {
  const { parameter, given, onChange, refused, templates, trans } = props;
  const field = React.useMemo(() => fieldOf(parameter), [parameter]);
  const id = React.useId();
  const own = given[field.name];
  const changed = own !== undefined;
  const value = changed ? own : field.initial;
  const isTemplate = templates === true && value?.includes('{{') === true;
  const found = changed && !isTemplate ? understand(field, own).problem : null;
  const problem = found ? wordsOf(found, trans) : refused;
  const give = (next: Given): void => {
    // As the notebook has it: then it is not changed.
    onChange(
      field.name,
      next === field.initial && !field.required && !field.computed
        ? undefined
        : next
    );
  };
  const isNone = value === null;
  return (
    <div
      className="jp-Pipelines-parameter"
      data-parameter={field.name}
      data-changed={changed || undefined}
    >
      <div className="jp-Pipelines-parameterName">
        <label htmlFor={id}>
          <code>{field.name}</code>
          {changed && (
            <span className="jp-Pipelines-forReaders">
              {trans.__('(changed)')}
            </span>
          )}
        </label>
        {field.choices.length === 0 && (
          <span className="jp-Pipelines-type">{parameter.annotation}</span>
        )}
      </div>
      <div className="jp-Pipelines-parameterValue">
        <Control
          field={field}
          value={value}
          onGive={give}
          attributes={{
            id,
            'aria-invalid': problem ? true : undefined,
            'aria-describedby': `${id}-more`
          }}
          placeholder={
            field.kind === 'secret'
              ? '••••••'
              : field.computed
                ? trans.__('worked out by the notebook')
                : field.required
                  ? trans.__('needed')
                  : ''
          }
          trans={trans}
        />
        {field.optional && field.kind !== 'any' && (
          <button
            type="button"
            className="jp-Pipelines-none"
            aria-pressed={isNone}
            aria-label={trans.__('Leave %1 unset', field.name)}
            title={trans.__('Leave it unset')}
            onClick={() => {
              give(isNone ? (field.initial ?? firstOf(field)) : null);
            }}
          >
            {NONE}
          </button>
        )}
        {changed && (
          <IconButton
            icon={undoIcon}
            label={trans.__('Reset %1', field.name)}
            onClick={() => {
              onChange(field.name, undefined);
            }}
          />
        )}
      </div>
      <div id={`${id}-more`} className="jp-Pipelines-parameterMore">
        <div role="alert" className="jp-Pipelines-fieldProblem">
          {problem && <Message text={problem} />}
        </div>
        {parameter.description && (
          <p className="jp-Pipelines-hint">{parameter.description}</p>
        )}
      </div>
    </div>
  );
}

/** What a field begins with when it is no longer `None`. */
function firstOf(field: IParameterField): string {
  switch (field.kind) {
    case 'switch':
      return 'false';
    case 'choice':
      return JSON.stringify(field.choices[0] ?? '');
    case 'list':
      return '[]';
    case 'object':
      return '{}';
    default:
      return '';
  }
}

export function ParameterFields(
  props: IParameterFieldsProps
): React.JSX.Element {
  const { parameters, refused, ...rest } = props;
  return (
    <div className="jp-Pipelines-parameters">
      {parameters.map(parameter => (
        <ParameterRow
          key={parameter.name}
          parameter={parameter}
          refused={refused?.[parameter.name] ?? ''}
          {...rest}
        />
      ))}
    </div>
  );
}
