/** What the compiler finds wrong, each with its place and what to do. */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { IDiagnostic, ILocation } from '../../api';
import type { ICompiler } from '../../tokens';
import { Message, Section } from '../../ui';
import { sortedDiagnostics } from '../panel/model';
import { FixButtons, wordOfSeverity } from './problem';

interface IProblemsProps {
  diagnostics: readonly IDiagnostic[];
  compiler: ICompiler;
  onPick: (place: ILocation) => void;
  trans: TranslationBundle;
}

function Problem(
  props: Omit<IProblemsProps, 'diagnostics'> & { problem: IDiagnostic }
): React.JSX.Element {
  const { problem, compiler, onPick, trans } = props;
  const { code, severity, message, fix, location } = problem;
  const content = (
    <>
      <span className="jp-Pipelines-problemHead">
        <span className="jp-Pipelines-severity">
          {wordOfSeverity(severity, trans)}
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
          className="jp-Pipelines-problemText"
          onClick={() => {
            onPick(location);
          }}
        >
          {content}
        </button>
      ) : (
        <div className="jp-Pipelines-problemText">{content}</div>
      )}
      <FixButtons problem={problem} compiler={compiler} />
    </li>
  );
}

export function Problems(props: IProblemsProps): React.JSX.Element | null {
  const { diagnostics, trans } = props;
  if (diagnostics.length === 0) {
    return null;
  }
  return (
    <Section title={trans.__('Problems')} count={diagnostics.length}>
      <ul>
        {sortedDiagnostics(diagnostics).map((problem, index) => (
          <Problem key={index} {...props} problem={problem} />
        ))}
      </ul>
    </Section>
  );
}
