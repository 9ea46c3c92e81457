/** One line about the last comparison with "Restart & Run All". */
import * as React from 'react';
import type { IVerification } from '../../api';
import {
  ErrorNotice,
  LinkButton,
  Notice,
  StateIcon,
  useAction,
  useLive
} from '../../ui';
import type { AnyState } from '../../ui/state';
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
  const cancelling = useAction();
  if (!last) {
    return null;
  }
  const words: Record<IVerification['state'], string> = {
    running: trans.__('Comparing with Restart & Run All…'),
    equivalent: trans.__('Verified: gives what Restart & Run All gives'),
    different: trans.__('Verified: differs from Restart & Run All'),
    refused: trans.__('Could not be verified'),
    failed: trans.__('Verifying failed'),
    cancelled: trans.__('Verifying was cancelled')
  };
  const states: Partial<Record<IVerification['state'], AnyState>> = {
    running: 'running',
    equivalent: 'completed',
    cancelled: 'cancelled'
  };
  return (
    <div className="jp-Pipelines-lastRun" data-verification={last.state}>
      <p role="status">
        <StateIcon
          state={states[last.state] ?? 'failed'}
          trans={trans}
          decorative
        />
        <span title={last.doing || undefined}>{words[last.state]}</span>
      </p>
      {last.state === 'running' && (
        <LinkButton
          disabled={cancelling.busy}
          onClick={() => {
            cancelling.start(() => records.api.cancelVerification(last.id));
          }}
        >
          {trans.__('Cancel')}
        </LinkButton>
      )}
      <ErrorNotice error={cancelling.error} />
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
