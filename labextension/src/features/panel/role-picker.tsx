/** Says what the active cell is to the pipeline, and changes it. */
import type { Notebook } from '@jupyterlab/notebook';
import { undoIcon, UseSignal } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import { CommandIDs } from '../../tokens';
import { type ITagged, type Role, isStepName } from '../cells/model';
import { roleOfCell } from './model';
import { IconButton } from '../../ui';

interface IRolePickerProps {
  notebook: Notebook;
  /** The steps there are, offered as names. */
  names: readonly string[];
  /** The step that the active cell belongs to through the cells above it. */
  inherited: string;
  commands: CommandRegistry;
  trans: TranslationBundle;
}

/** The step's name, taken over by Enter or by leaving the field. */
function StepName(props: {
  name: string;
  names: readonly string[];
  onName: (name: string) => void;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { name, names, onName, trans } = props;
  const [text, setText] = React.useState(name);
  React.useEffect(() => {
    setText(name);
  }, [name]);
  const list = React.useId();
  const valid = isStepName(text.trim());
  const commit = (): void => {
    if (valid && text.trim() !== name) {
      onName(text.trim());
    }
  };
  return (
    <label className="jp-Pipelines-nameField">
      <span>{trans.__('Name')}</span>
      <input
        type="text"
        list={list}
        value={text}
        spellCheck={false}
        aria-invalid={!valid}
        onChange={event => {
          setText(event.target.value);
        }}
        onBlur={commit}
        onKeyDown={event => {
          if (event.key === 'Enter') {
            commit();
          } else if (event.key === 'Escape') {
            setText(name);
          }
        }}
      />
      <datalist id={list}>
        {names.map(each => (
          <option key={each} value={each} />
        ))}
      </datalist>
      {!valid && (
        <span className="jp-Pipelines-fieldProblem" role="alert">
          {trans.__('Begin with a letter; then letters, digits, “-” and “_”.')}
        </span>
      )}
    </label>
  );
}

function Roles(props: {
  current: ITagged | null;
  onPick: (command: string) => void;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { current, onPick, trans } = props;
  const choices: [Role | null, string, string, string][] = [
    [
      'step',
      trans.__('Step'),
      CommandIDs.tagStep,
      trans.__('Begins or continues a step')
    ],
    [
      'setup',
      trans.__('Setup'),
      CommandIDs.tagSetup,
      trans.__('Runs at the start of every step')
    ],
    [
      'parameters',
      trans.__('Params'),
      CommandIDs.tagParameters,
      trans.__('Parameters: values that a run can change')
    ],
    [
      'skip',
      trans.__('Skip'),
      CommandIDs.tagSkip,
      trans.__('Never part of the pipeline')
    ],
    [
      null,
      trans.__('None'),
      CommandIDs.untag,
      trans.__('No tag: belongs to what is above it')
    ]
  ];
  return (
    <div
      className="jp-Pipelines-roles"
      role="group"
      aria-label={trans.__('Role of the cell')}
    >
      {choices.map(([role, label, command, title]) => (
        <button
          key={command}
          type="button"
          title={title}
          aria-pressed={(current?.role ?? null) === role}
          onClick={() => {
            onPick(command);
          }}
        >
          {label}
        </button>
      ))}
    </div>
  );
}

/** Carry out a command about the active cell, and give the focus back to the notebook, where its keys work. */
export async function executeInNotebook(
  commands: CommandRegistry,
  command: string,
  notebook: Notebook
): Promise<void> {
  await commands.execute(command);
  notebook.mode = 'command';
  notebook.activate();
}

export function RolePicker(props: IRolePickerProps): React.JSX.Element | null {
  const { notebook, commands, trans, names, inherited } = props;
  const cell = notebook.activeCell?.model ?? null;
  if (!cell) {
    return null;
  }
  const execute = (command: string, args = {}): void => {
    void commands.execute(command, args);
  };
  return (
    <UseSignal key={cell.id} signal={cell.metadataChanged}>
      {() => {
        const current = roleOfCell(cell);
        return (
          <section
            className="jp-Pipelines-picker"
            aria-label={trans.__('The active cell')}
          >
            <div className="jp-Pipelines-pickerHead">
              <span>
                {trans.__('Cell %1', notebook.activeCellIndex + 1)}
                {!current && inherited && (
                  <span className="jp-Pipelines-from">
                    {' '}
                    {trans.__('in %1', inherited)}
                  </span>
                )}
              </span>
              <IconButton
                icon={undoIcon}
                label={trans.__('Undo the last change of cells')}
                onClick={() => {
                  execute('notebook:undo-cell-action');
                }}
              />
            </div>
            {cell.type === 'code' ? (
              <Roles
                current={current}
                onPick={command => {
                  void executeInNotebook(commands, command, notebook);
                }}
                trans={trans}
              />
            ) : (
              <p className="jp-Pipelines-hint">
                {trans.__('Text is shown in reports, and belongs to no step.')}
              </p>
            )}
            {current?.role === 'step' && (
              <StepName
                name={current.name}
                names={names}
                trans={trans}
                onName={name => {
                  execute(CommandIDs.tagStep, { name });
                }}
              />
            )}
          </section>
        );
      }}
    </UseSignal>
  );
}
