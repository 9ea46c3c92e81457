/** One thing that the compiler finds wrong, and the buttons that put it right. */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { IDiagnostic, Severity } from '../../api';
import { Button, ErrorNotice, type Tone, useAction } from '../../ui';
import type { ICompiler } from '../../tokens';
import { applyFix } from './fixes';

export function wordOfSeverity(
  severity: Severity,
  trans: TranslationBundle
): string {
  switch (severity) {
    case 'error':
      return trans.__('Error');
    case 'warning':
      return trans.__('Warning');
    case 'info':
      return trans.__('Note');
  }
}

export function toneOfSeverity(severity: Severity): Tone {
  return ({ error: 'bad', warning: 'warning', info: 'quiet' } as const)[
    severity
  ];
}

/** A button for each way to put a problem right; nothing where there is none. */
export function FixButtons(props: {
  problem: IDiagnostic;
  compiler: ICompiler;
  /** How many to show; all unless given. */
  most?: number;
}): React.JSX.Element | null {
  const { problem, compiler, most } = props;
  const action = useAction();
  const fixes = problem.fixes?.slice(0, most) ?? [];
  if (fixes.length === 0) {
    return null;
  }
  return (
    <div className="jp-Pipelines-fixes">
      {fixes.map(fix => (
        <Button
          key={fix.title}
          disabled={action.busy}
          onClick={() => {
            action.start(() => applyFix(compiler, problem, fix));
          }}
        >
          {fix.title}
        </Button>
      ))}
      <ErrorNotice error={action.error} />
    </div>
  );
}
