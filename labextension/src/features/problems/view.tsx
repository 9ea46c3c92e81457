/** What the compiler finds wrong, each with its place and what to do. */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { IDiagnostic } from '../../api';
import { Message, Section } from '../../ui';
import { sortedDiagnostics } from '../panel/model';

function Problem(props: {
  diagnostic: IDiagnostic;
  onPick: (cell: number) => void;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { diagnostic, onPick, trans } = props;
  const { code, severity, message, fix, location } = diagnostic;
  const content = (
    <>
      <span className="jp-Pipelines-problemHead">
        <span className="jp-Pipelines-severity">
          {severity === 'error'
            ? trans.__('Error')
            : severity === 'warning'
              ? trans.__('Warning')
              : trans.__('Note')}
        </span>
        <span className="jp-Pipelines-code">{code}</span>
        {location && (
          <span className="jp-Pipelines-place">
            {trans.__('cell %1, line %2', location.cell, location.line)}
          </span>
        )}
      </span>
      <span>
        <Message text={message} />
      </span>
      {fix && (
        <span className="jp-Pipelines-fix">
          <Message text={fix} />
        </span>
      )}
    </>
  );
  return (
    <li className="jp-Pipelines-problem" data-severity={severity}>
      {location ? (
        <button
          type="button"
          onClick={() => {
            onPick(location.cell);
          }}
        >
          {content}
        </button>
      ) : (
        <div>{content}</div>
      )}
    </li>
  );
}

export function Problems(props: {
  diagnostics: readonly IDiagnostic[];
  onPick: (cell: number) => void;
  trans: TranslationBundle;
}): React.JSX.Element | null {
  const { diagnostics, onPick, trans } = props;
  if (diagnostics.length === 0) {
    return null;
  }
  return (
    <Section title={trans.__('Problems')} count={diagnostics.length}>
      <ul>
        {sortedDiagnostics(diagnostics).map((diagnostic, index) => (
          <Problem
            key={index}
            diagnostic={diagnostic}
            onPick={onPick}
            trans={trans}
          />
        ))}
      </ul>
    </Section>
  );
}
