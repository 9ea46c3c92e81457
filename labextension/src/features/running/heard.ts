import * as React from 'react';
import type { IRecords } from '../../tokens';
import { useSignals } from '../../ui';

/** A line that is lost is mostly there again at once: what is shown does not flicker. Milliseconds. */
const PATIENCE = 3000;

/** Is the Jupyter server heard, or was it a moment ago? */
export function useHeard(records: IRecords): boolean {
  const { events } = records;
  useSignals(events.connectedChanged);
  const { connected } = events;
  const [patient, setPatient] = React.useState(true);
  React.useEffect(() => {
    if (connected) {
      setPatient(true);
      return;
    }
    const timer = window.setTimeout(() => {
      setPatient(false);
    }, PATIENCE);
    return () => {
      window.clearTimeout(timer);
    };
  }, [connected]);
  return connected || patient;
}
