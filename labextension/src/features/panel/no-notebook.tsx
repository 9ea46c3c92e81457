/** What the panel shows while no notebook is open: all pipelines there are. */
import * as React from 'react';
import type { IPipelineSummary } from '../../api';
import { CommandIDs } from '../../tokens';
import {
  LinkButton,
  relative,
  StaleNotice,
  StateIcon,
  useLive,
  wordOf
} from '../../ui';
import { ServiceNotice } from '../service/view';
import type { IPanelContext } from './context';
import { LoadingFace, MessageFace } from './faces';

/** More are in the view of all pipelines. */
const MOST = 50;

function when(summary: IPipelineSummary, props: IPanelContext): string {
  const { trans } = props;
  if (summary.missing) {
    return trans.__('the file is gone');
  }
  if (summary.next) {
    return trans.__('runs %1', relative(new Date(summary.next)));
  }
  const last = summary.last_runs[0];
  return last?.ended
    ? trans.__('ran %1', relative(new Date(last.ended * 1000)))
    : '';
}

function Pipeline(
  props: IPanelContext & { summary: IPipelineSummary }
): React.JSX.Element {
  const { summary, commands, trans } = props;
  const { notebook, state, missing } = summary;
  return (
    <li>
      <button
        type="button"
        className="jp-Pipelines-row"
        title={notebook}
        onClick={() => {
          void commands.execute(
            missing ? CommandIDs.relink : CommandIDs.openNotebook,
            { path: notebook }
          );
        }}
      >
        <StateIcon state={missing ? 'offline' : state} trans={trans} />
        <span className="jp-Pipelines-rowName">
          {notebook.split('/').pop()}
        </span>
        <span className="jp-Pipelines-place">
          {when(summary, props) || wordOf(state, trans)}
        </span>
        {missing && (
          <span className="jp-Pipelines-rowAction">{trans.__('Relink…')}</span>
        )}
      </button>
    </li>
  );
}

export function NoNotebook(props: IPanelContext): React.JSX.Element {
  const { records, commands, trans } = props;
  const live = useLive(records.pipelines);
  const pipelines = live.value;
  return (
    <>
      <header className="jp-Pipelines-header">
        <div className="jp-Pipelines-title">
          <h2>{trans.__('Pipelines')}</h2>
          {commands.hasCommand(CommandIDs.openPipelines) && (
            <LinkButton
              onClick={() => {
                void commands.execute(CommandIDs.openPipelines);
              }}
            >
              {trans.__('All pipelines')}
            </LinkButton>
          )}
        </div>
      </header>
      <ServiceNotice {...props} />
      <StaleNotice live={live} trans={trans} />
      {!pipelines && !live.error && <LoadingFace trans={trans} />}
      {pipelines && pipelines.length > 0 && (
        <ul
          className="jp-Pipelines-list"
          aria-label={trans.__('All pipelines')}
        >
          {pipelines.slice(0, MOST).map(summary => (
            <Pipeline key={summary.notebook} summary={summary} {...props} />
          ))}
        </ul>
      )}
      {(pipelines?.length === 0 || (live.error && !pipelines)) && (
        <MessageFace
          title={trans.__('No notebook is open')}
          text={trans.__(
            'Open one to see the steps it is made of, to run it, and to have it run by itself.'
          )}
        />
      )}
      {pipelines && pipelines.length > 0 && (
        <p className="jp-Pipelines-hint jp-mod-padded">
          {trans.__('No notebook is open. Choose one to see its steps.')}
        </p>
      )}
    </>
  );
}
