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
