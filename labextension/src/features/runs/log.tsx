/** The log of a run: how its steps went, and what they printed. */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { IRun } from '../../api';
import type { IRecords } from '../../tokens';
import { instant, StaleNotice, useLive } from '../../ui';

interface ILogProps {
  run: IRun;
  /** Only the lines of this step; of all when it is empty. */
  step?: string;
  records: IRecords;
  trans: TranslationBundle;
}

function clock(seconds: number): string {
  const time = instant(seconds);
  return time ? time.toLocaleTimeString(undefined, { hourCycle: 'h23' }) : '';
}

/** Asked for when it is opened. */
export function Log(props: ILogProps): React.JSX.Element {
  const [open, setOpen] = React.useState(false);
  return (
    <details
      className="jp-Pipelines-runLog"
      onToggle={event => {
        setOpen(event.currentTarget.open);
      }}
    >
      <summary>{props.trans.__('Log')}</summary>
      {open && <LogLines {...props} />}
    </details>
  );
}

/** Asked for again while the run goes on. */
export function LogLines(props: ILogProps): React.JSX.Element {
  const { run, step = '', records, trans } = props;
  const live = useLive(
    React.useMemo(
      () =>
        records.live(
          signal => records.api.runLog(run.id, signal),
          event =>
            (event.kind === 'run' || event.kind === 'output') &&
            event.subject === run.id
        ),
      [records, run.id]
    )
  );
  const lines = live.value?.filter(line => !step || line.step === step);
  if (!lines) {
    return live.error ? (
      <StaleNotice live={live} trans={trans} />
    ) : (
      <p className="jp-Pipelines-hint">{trans.__('Reading the log …')}</p>
    );
  }
  return lines.length === 0 ? (
    <p className="jp-Pipelines-hint">{trans.__('There is nothing in it.')}</p>
  ) : (
    <pre className="jp-Pipelines-logLines" tabIndex={0}>
      {lines.map((line, index) => (
        <div key={index} data-kind={line.kind}>
          <time>{clock(line.time)}</time>
          {!step && line.step && <i>{line.step}</i>}
          <span>{line.text}</span>
        </div>
      ))}
    </pre>
  );
}
