/** A parameter that follows its run instead of having a value: which part of it, in words or as an expression. */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { IParameter } from '../../api';
import type { AllGiven } from '../../tokens';
import { fieldOf, type IBinding } from './model';

/** Parameters of these names get the window without being given it. */
export const INTERVALS = ['interval_start', 'interval_end'];

/** The parts of a data window. */
export function windowBindings(trans: TranslationBundle): IBinding[] {
  return [
    {
      expression: '{{ interval_start.date() }}',
      words: trans.__('first day of the window')
    },
    {
      expression: '{{ (interval_end - timedelta(days=1)).date() }}',
      words: trans.__('last day of the window')
    },
    {
      expression: '{{ interval_end.date() }}',
      words: trans.__('day after the window')
    },
    {
      expression: '{{ interval_start }}',
      words: trans.__('start of the window')
    },
    {
      expression: '{{ interval_end }}',
      words: trans.__('end of the window')
    }
  ];
}

/** What parameters get of a data window by their names alone, without being given it. */
export function windowPresets(parameters: readonly IParameter[]): AllGiven {
  return Object.fromEntries(
    parameters
      .filter(({ name }) => INTERVALS.includes(name))
      .map(parameter => {
        const day = fieldOf(parameter).kind === 'date' ? '.date()' : '';
        return [parameter.name, `{{ ${parameter.name}${day} }}`];
      })
  );
}

interface IBoundProps {
  name: string;
  value: string;
  bindings: readonly IBinding[];
  /** Is it written as an expression, although there are words for it? */
  writing: boolean;
  onGive: (expression: string) => void;
  onWrite: (writing: boolean) => void;
  attributes: {
    id: string;
    'aria-invalid': true | undefined;
    'aria-describedby': string | undefined;
  };
  trans: TranslationBundle;
}

function isWritten({ value, bindings, writing }: IBoundProps): boolean {
  return writing || !bindings.some(({ expression }) => expression === value);
}

/** Which part of the run it follows. */
export function BoundChoice(props: IBoundProps): React.JSX.Element {
  const { value, bindings, onGive, onWrite, attributes, trans } = props;
  const written = isWritten(props);
  return (
    <select
      {...attributes}
      aria-invalid={written ? undefined : attributes['aria-invalid']}
      className="jp-Pipelines-input"
      value={written ? '' : value}
      onChange={event => {
        onWrite(event.target.value === '');
        if (event.target.value) {
          onGive(event.target.value);
        }
      }}
    >
      {bindings.map(({ expression, words }) => (
        <option key={expression} value={expression}>
          {words}
        </option>
      ))}
      <option value="">{trans.__('an expression…')}</option>
    </select>
  );
}

/** The expression, where it is one of one's own. */
export function BoundText(props: IBoundProps): React.JSX.Element | null {
  const { name, value, onGive, attributes, trans } = props;
  return isWritten(props) ? (
    <input
      type="text"
      className="jp-Pipelines-input jp-mod-code"
      aria-label={trans.__('Expression for %1', name)}
      aria-invalid={attributes['aria-invalid']}
      aria-describedby={attributes['aria-describedby']}
      autoComplete="off"
      spellCheck={false}
      value={value}
      onChange={event => {
        onGive(event.target.value);
      }}
    />
  ) : null;
}
