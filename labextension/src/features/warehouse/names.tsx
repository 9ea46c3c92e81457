/** Names to be taken into a cell: of tables, and of their columns. */
import { addIcon } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import type { IColumn } from '../../api';
import { CommandIDs } from '../../tokens';
import { IconButton, useSignals } from '../../ui';
import { quoted } from './model';

/** A name that can be dragged into a cell; the button beside it does the same. */
export function Name(props: {
  text: string;
  commands: CommandRegistry;
  trans: TranslationBundle;
  children: React.ReactNode;
}): React.JSX.Element {
  const { text, commands, trans, children } = props;
  useSignals(commands.commandChanged);
  return (
    <div
      className="jp-Pipelines-warehouseName"
      draggable
      onDragStart={event => {
        event.dataTransfer.setData('text/plain', text);
        event.dataTransfer.effectAllowed = 'copy';
      }}
    >
      {children}
      <IconButton
        icon={addIcon}
        label={trans.__('Insert %1 into the cell', text)}
        disabled={!commands.isEnabled(CommandIDs.insertName)}
        onClick={() => {
          void commands.execute(CommandIDs.insertName, { name: text });
        }}
      />
    </div>
  );
}

/** The columns of a table. */
export function Columns(props: {
  of: string;
  columns: readonly IColumn[];
  commands: CommandRegistry;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { of, columns, commands, trans } = props;
  return (
    <ul aria-label={trans.__('Columns of %1', of)}>
      {columns.map(column => (
        <li key={column.name}>
          <Name text={quoted(column.name)} commands={commands} trans={trans}>
            <code>{column.name}</code>
            <span className="jp-Pipelines-place">
              {column.type.toLowerCase()}
            </span>
          </Name>
        </li>
      ))}
    </ul>
  );
}
