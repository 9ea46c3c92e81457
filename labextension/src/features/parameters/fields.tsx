/** Parameters as typed fields; for runs by hand, and for whatever else gives parameters. */
import { linkIcon, undoIcon } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { IParameter } from '../../api';
import type { AllGiven, Given } from '../../tokens';
import { IconButton, Message, Switch } from '../../ui';
import { BoundChoice, BoundText } from './bound';
import {
  fieldOf,
  type IBinding,
  type IParameterField,
  isExpression,
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
  /** What is in a field unless given, where that is not what the notebook has. */
  presets?: AllGiven;
  /** What a parameter can follow; none where its value cannot depend on the run. */
  bindings?: readonly IBinding[];
  /** What those that follow something are going to be, in words. */
  outlook?: (name: string) => string;
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
  if (field.kind === 'switch' && !isNone) {
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
  if (field.kind === 'choice') {
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

/** The name, and what kind of value it takes. */
function Name(props: {
  id: string;
  name: string;
  type: string;
  changed: boolean;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { id, name, type, changed, trans } = props;
  return (
    <div className="jp-Pipelines-parameterName">
      <label htmlFor={id}>
        <code>{name}</code>
        {changed && (
          <span className="jp-Pipelines-forReaders">
            {trans.__('(changed)')}
          </span>
        )}
      </label>
      {type && <span className="jp-Pipelines-type">{type}</span>}
    </div>
  );
}

function placeholderOf(
  field: IParameterField,
  trans: TranslationBundle
): string {
  if (field.kind === 'secret') {
    return '••••••';
  }
  if (field.computed) {
    return trans.__('worked out by the notebook');
  }
  return field.required ? trans.__('needed') : '';
}

function ParameterRow(
  props: Omit<IParameterFieldsProps, 'parameters' | 'refused'> & {
    parameter: IParameter;
    refused: string;
  }
): React.JSX.Element {
  const { parameter, given, onChange, refused, trans } = props;
  const field = React.useMemo(() => fieldOf(parameter), [parameter]);
  const [writing, setWriting] = React.useState(false);
  const id = React.useId();
  const { name } = field;
  const own = given[name];
  const preset = props.presets?.[name];
  const initial = preset === undefined ? field.initial : preset;
  const changed = own !== undefined;
  const value = changed ? own : initial;
  const bindings = props.bindings && ordered(props.bindings, field);
  const first = bindings?.[0];
  const bound = bindings && (writing || isExpression(value));
  const found =
    changed && !(bound && isExpression(own))
      ? understand(field, own).problem
      : null;
  const problem = found ? wordsOf(found, trans) : refused;
  const give = (next: Given): void => {
    // As the notebook has it: then it is not changed.
    const same = next === initial && !field.required && !field.computed;
    onChange(name, same ? undefined : next);
  };
  const isNone = value === null;
  const attributes = {
    id,
    'aria-invalid': problem ? (true as const) : undefined,
    'aria-describedby': `${id}-more`
  };
  const follows = {
    ...{ name, value: value ?? '', bindings: bindings ?? [], writing },
    ...{ attributes, trans, onGive: give, onWrite: setWriting }
  };
  const outlook = bound && !problem ? (props.outlook?.(name) ?? '') : '';
  return (
    <div
      className="jp-Pipelines-parameter"
      data-parameter={name}
      data-changed={changed || undefined}
    >
      <Name
        id={id}
        name={name}
        type={field.choices.length === 0 ? parameter.annotation : ''}
        changed={changed}
        trans={trans}
      />
      <div className="jp-Pipelines-parameterValue">
        {bound ? (
          <BoundChoice {...follows} />
        ) : (
          <Control
            field={field}
            value={value}
            onGive={give}
            attributes={attributes}
            placeholder={placeholderOf(field, trans)}
            trans={trans}
          />
        )}
        {field.optional && field.kind !== 'any' && !bound && (
          <button
            type="button"
            className="jp-Pipelines-none"
            aria-pressed={isNone}
            aria-label={trans.__('Leave %1 unset', name)}
            title={trans.__('Leave it unset')}
            onClick={() => {
              give(isNone ? (initial ?? firstOf(field)) : null);
            }}
          >
            {NONE}
          </button>
        )}
        {first && (
          <IconButton
            icon={linkIcon}
            label={trans.__('Let %1 follow the run', name)}
            aria-pressed={bound === true}
            onClick={() => {
              setWriting(false);
              const fixed = isExpression(initial) ? field.initial : undefined;
              onChange(name, bound ? fixed : first.expression);
            }}
          />
        )}
        {changed && (
          <IconButton
            icon={undoIcon}
            label={trans.__('Reset %1', name)}
            onClick={() => {
              setWriting(false);
              onChange(name, undefined);
            }}
          />
        )}
      </div>
      <div id={`${id}-more`} className="jp-Pipelines-parameterMore">
        {bound && <BoundText {...follows} />}
        <div role="alert" className="jp-Pipelines-fieldProblem">
          {problem && <Message text={problem} />}
        </div>
        {outlook && <p className="jp-Pipelines-hint">{outlook}</p>}
        {parameter.description && (
          <p className="jp-Pipelines-hint">{parameter.description}</p>
        )}
      </div>
    </div>
  );
}

/** Those with a time of day first, where that is what is wanted. */
function ordered(
  bindings: readonly IBinding[],
  { kind }: IParameterField
): IBinding[] {
  const late = ({ expression }: IBinding): number =>
    Number(expression.includes('date()') === (kind === 'date-time'));
  return [...bindings].sort((a, b) => late(a) - late(b));
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
