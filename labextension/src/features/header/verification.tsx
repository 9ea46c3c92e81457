/** One line about the last comparison with "Restart & Run All". */
import * as React from 'react';
import type { IVerification } from '../../api';
import { Notice, StateIcon, useLive } from '../../ui';
import type { INotebookProps } from '../panel/context';

export function Verification(props: INotebookProps): React.JSX.Element | null {
  const { notebook, records, trans } = props;
  const path = notebook.notebook;
  const live = React.useMemo(
    () =>
      records.live(
        signal => records.api.verifications(path, signal),
        event => event.kind === 'verification' && event.notebook === path
      ),
    [records, path]
  );
  const last = useLive(live).value?.[0];
  if (!last) {
    return null;
  }
  const words: Record<IVerification['state'], string> = {
    running: trans.__('Comparing with Restart & Run All…'),
    equivalent: trans.__('Verified: gives what Restart & Run All gives'),
    different: trans.__('Verified: differs from Restart & Run All'),
    refused: trans.__('Could not be verified'),
    failed: trans.__('Verifying failed')
  };
  const state =
    last.state === 'running'
      ? 'running'
      : last.state === 'equivalent'
        ? 'completed'
        : 'failed';
  return (
    <div className="jp-Pipelines-lastRun" data-verification={last.state}>
      <p role="status">
        <StateIcon state={state} trans={trans} decorative />
        <span title={last.doing || undefined}>{words[last.state]}</span>
      </p>
      {(last.text || last.problem) && last.state !== 'equivalent' && (
        <details className="jp-Pipelines-report">
          <summary>{trans.__('Report')}</summary>
          <Notice tone="warning">
            <pre>{last.text || last.problem}</pre>
          </Notice>
        </details>
      )}
    </div>
  );
}
