/** What people fill in: a label, a field, and below it what is wrong or how to write it. */
import * as React from 'react';
import { Message } from './notice';

/** To be spread on the `input` or `select` within a {@link Field}. */
export interface IFieldAttributes {
  id: string;
  'aria-describedby': string | undefined;
  'aria-invalid': true | undefined;
}

/** A labelled field. What is wrong with it is read out as it appears; a hint is there from the start. */
export function Field(props: {
  label: string;
  /** What is wrong with what was filled in; empty when nothing is. */
  problem?: string;
  hint?: React.ReactNode;
  /** The label beside the field instead of above it. */
  inline?: boolean;
  children: (attributes: IFieldAttributes) => React.ReactNode;
}): React.JSX.Element {
  const { label, problem, hint, inline, children } = props;
  const id = React.useId();
  return (
    <div className="jp-Pipelines-field" data-inline={inline || undefined}>
      <label htmlFor={id}>{label}</label>
      {children({
        id,
        'aria-describedby': problem || hint ? `${id}-more` : undefined,
        'aria-invalid': problem ? true : undefined
      })}
      <div id={`${id}-more`} className="jp-Pipelines-fieldMore">
        <div role="alert" className="jp-Pipelines-fieldProblem">
          {problem && <Message text={problem} />}
        </div>
        {!problem && hint && <div className="jp-Pipelines-hint">{hint}</div>}
      </div>
    </div>
  );
}

/** On or off, at once. */
export function Switch(props: {
  label: string;
  checked: boolean;
  disabled?: boolean;
  onChange: (checked: boolean) => void;
}): React.JSX.Element {
  const { label, checked, disabled, onChange } = props;
  return (
    <button
      type="button"
      role="switch"
      className="jp-Pipelines-switch"
      aria-checked={checked}
      aria-label={label}
      title={label}
      disabled={disabled}
      onClick={() => {
        onChange(!checked);
      }}
    />
  );
}

/** One of a few, all of them seen. */
export function Choices<T extends string>(props: {
  label: string;
  value: T;
  choices: readonly (readonly [T, string])[];
  onChange: (value: T) => void;
}): React.JSX.Element {
  const { label, value, choices, onChange } = props;
  const name = React.useId();
  return (
    <div className="jp-Pipelines-choices" role="radiogroup" aria-label={label}>
      {choices.map(([choice, word]) => (
        <label key={choice}>
          <input
            type="radio"
            name={name}
            value={choice}
            checked={choice === value}
            onChange={() => {
              onChange(choice);
            }}
          />
          <span>{word}</span>
        </label>
      ))}
    </div>
  );
}

/** A choice from a list. */
export function Select<T extends string | number>(
  props: {
    value: T;
    choices: readonly (readonly [T, string])[];
    onChange: (value: T) => void;
  } & Omit<
    React.SelectHTMLAttributes<HTMLSelectElement>,
    'value' | 'onChange' | 'className'
  >
): React.JSX.Element {
  const { value, choices, onChange, ...rest } = props;
  return (
    <select
      className="jp-Pipelines-input"
      value={String(value)}
      onChange={event => {
        const chosen = choices[event.target.selectedIndex];
        if (chosen) {
          onChange(chosen[0]);
        }
      }}
      {...rest}
    >
      {choices.map(([choice, word]) => (
        <option key={choice} value={String(choice)}>
          {word}
        </option>
      ))}
    </select>
  );
}

/** Fields that are needed now and then: closed at first, its line says what is in it. What is closed asks nothing. */
export function Part(props: {
  title: string;
  summary?: string | undefined;
  /** Open it, whatever it was: something in it is wrong. */
  wrong?: boolean;
  children: React.ReactNode;
}): React.JSX.Element {
  const { title, summary, wrong, children } = props;
  const [open, setOpen] = React.useState(false);
  const shown = open || wrong === true;
  return (
    <details
      className="jp-Pipelines-part"
      open={shown}
      onToggle={event => {
        setOpen(event.currentTarget.open);
      }}
    >
      <summary>
        <span>{title}</span>
        <span className="jp-Pipelines-hint" title={summary}>
          {summary}
        </span>
      </summary>
      {shown && <div className="jp-Pipelines-form">{children}</div>}
    </details>
  );
}
