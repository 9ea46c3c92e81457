/** The field at a pill in which one types what the cell is. */
import { ReactWidget } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { stepStyle } from '../../ui';
import { isReserved, isStepName } from './names';
import {
  type Choice,
  choicesFor,
  completed,
  isRoleWord,
  type ITagging
} from './tagging';
import type { Typeahead } from './typeahead';

interface ITaggerProps extends ITagging {
  /** The name the field is opened with. */
  offered: string;
  /** How many cells are tagged at once. */
  count: number;
  /** Has what was typed before the field was there. */
  ahead: Typeahead;
  /** `null` when the author gives up. */
  onDone: (choice: Choice | null) => void;
  trans: TranslationBundle;
}

/** What a choice is called, and what it does. */
function describe(
  choice: Choice,
  trans: TranslationBundle
): [name: string, meaning: string] {
  switch (choice.kind) {
    case 'new':
      return [choice.name, trans.__('new step')];
    case 'step':
      return [choice.name, trans.__('step')];
    case 'rename':
      return [choice.name, trans.__('rename %1', choice.from)];
    case 'none':
      return [trans.__('no tag'), trans.__('belongs to what is above')];
    case 'role':
      return {
        setup: [trans.__('setup'), trans.__('at the start of every step')],
        parameters: [trans.__('parameters'), trans.__('a run can change them')],
        skip: [trans.__('skip'), trans.__('never part of it')]
      }[choice.role] as [string, string];
  }
}

/** Why a text is not the name of a step as it stands. */
function problemOf(text: string, trans: TranslationBundle): string {
  const name = text.trim();
  if (name === '' || isStepName(name) || isRoleWord(name)) {
    return '';
  }
  return isReserved(name)
    ? trans.__('“%1” is reserved.', name)
    : trans.__('Only A–Z, digits, “-” and “_”; a letter first.');
}

function Option(props: {
  choice: Choice;
  id: string;
  active: boolean;
  steps: readonly string[];
  onPick: () => void;
  onPoint: () => void;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { choice, id, active, steps, onPick, onPoint, trans } = props;
  const [name, meaning] = describe(choice, trans);
  const order = choice.kind === 'step' ? steps.indexOf(choice.name) : -1;
  return (
    <li
      id={id}
      role="option"
      aria-selected={active}
      data-kind={choice.kind}
      style={stepStyle(order)}
      // The field must keep the focus.
      onMouseDown={event => {
        event.preventDefault();
      }}
      onMouseMove={onPoint}
      onClick={onPick}
    >
      <span className="jp-Pipelines-optionName">{name}</span>
      <span className="jp-Pipelines-optionMeaning">{meaning}</span>
    </li>
  );
}

function Tagger(props: ITaggerProps): React.JSX.Element {
  const { offered, count, ahead, onDone, steps, trans } = props;
  const [text, setText] = React.useState(offered);
  const [typed, setTyped] = React.useState(false);
  const [active, setActive] = React.useState(0);
  const field = React.useRef<HTMLInputElement>(null);
  const id = React.useId();
  React.useEffect(() => {
    const input = field.current;
    input?.focus();
    input?.select();
    const early = ahead.take();
    if (early.text) {
      // At once, not at the next rendering: what is typed next must come behind it.
      input?.setRangeText(early.text, 0, input.value.length, 'end');
      input?.dispatchEvent(new Event('input', { bubbles: true }));
    }
    if (early.selected) {
      input?.select();
    }
    if (early.end) {
      const [first] = early.text
        ? choicesFor(early.text, true, props)
        : choicesFor(offered, false, props);
      const choice = early.end === 'Enter' ? first : null;
      if (choice !== undefined) {
        onDone(choice);
      }
    }
    // eslint-disable-next-line react-hooks/exhaustive-deps -- once, when the field is there
  }, []);
  const choices = choicesFor(text, typed, props);
  const problem = typed ? problemOf(text, trans) : '';
  const type = (next: string): void => {
    setText(next);
    setTyped(true);
    setActive(0);
  };
  const onKeyDown = (event: React.KeyboardEvent): void => {
    event.stopPropagation();
    switch (event.key) {
      case 'Enter': {
        const choice = choices[active];
        if (choice && !event.nativeEvent.isComposing) {
          onDone(choice);
        }
        break;
      }
      case 'Escape':
        onDone(null);
        break;
      case 'ArrowDown':
      case 'ArrowUp': {
        const by = event.key === 'ArrowDown' ? 1 : choices.length - 1;
        setActive((active + by) % Math.max(1, choices.length));
        break;
      }
      case 'Tab':
        if (event.shiftKey || completed(text, steps) === text) {
          return;
        }
        type(completed(text, steps));
        break;
      default:
        return;
    }
    event.preventDefault();
  };
  return (
    <div className="jp-Pipelines-tagger" onKeyDown={onKeyDown}>
      <input
        ref={field}
        type="text"
        role="combobox"
        aria-label={trans._n(
          'What the cell is: a step’s name, or setup, parameters, skip',
          'What the %1 cells are: a step’s name, or setup, parameters, skip',
          count
        )}
        aria-expanded={choices.length > 0}
        aria-controls={`${id}-list`}
        aria-activedescendant={choices[active] && `${id}-${active}`}
        aria-autocomplete="list"
        aria-invalid={problem !== '' && choices.length === 0}
        aria-describedby={`${id}-problem`}
        placeholder={trans.__('name of the step')}
        spellCheck={false}
        autoComplete="off"
        value={text}
        onChange={event => {
          type(event.target.value);
        }}
        onBlur={() => {
          // What was typed stays until it is taken or given up.
          if (!typed) {
            onDone(null);
          }
        }}
      />
      {count > 1 && (
        <span className="jp-Pipelines-hint">
          {trans._n('%1 cell', '%1 cells', count)}
        </span>
      )}
      <div className="jp-Pipelines-taggerMenu">
        <div
          id={`${id}-problem`}
          className="jp-Pipelines-fieldProblem"
          role="alert"
        >
          {problem}
        </div>
        <ul id={`${id}-list`} role="listbox" aria-label={trans.__('Choices')}>
          {choices.map((choice, index) => (
            <Option
              key={JSON.stringify(choice)}
              id={`${id}-${index}`}
              choice={choice}
              active={index === active}
              steps={steps}
              trans={trans}
              onPick={() => {
                onDone(choice);
              }}
              onPoint={() => {
                setActive(index);
              }}
            />
          ))}
        </ul>
      </div>
    </div>
  );
}

export class TaggerWidget extends ReactWidget {
  constructor(private readonly _props: ITaggerProps) {
    super();
  }

  protected override render(): React.JSX.Element {
    return <Tagger {...this._props} />;
  }
}
