/** A backfill as one thing: how far it has come, its windows, and what can be done with it. */
import { closeIcon, launchIcon } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import {
  ApiError,
  type IBackfillDetail,
  type IBackfillWindow
} from '../../api';
import { CommandIDs, type ILive, type IRecords } from '../../tokens';
import {
  Button,
  ErrorNotice,
  IconButton,
  LinkButton,
  Message,
  Notice,
  StaleNotice,
  StateChip,
  StateIcon,
  useAction,
  useLive,
  wordOf
} from '../../ui';
import { countOf, PARTS, progressText, windowText } from './model';

/** A backfill with its windows, as it goes on. */
export function useBackfill(
  records: IRecords,
  id: string
): ILive<IBackfillDetail> {
  return useLive(
    React.useMemo(
      () =>
        records.live(
          async signal => {
            const found = await records.api.backfill(id, signal);
            let after: string | undefined = String(found.windows.length);
            while (found.windows.length < found.size && after) {
              const more = await records.api.backfillWindows(
                id,
                { after, limit: 1000 },
                signal
              );
              found.windows.push(...more.windows);
              after = more.next ?? undefined;
            }
            return found;
          },
          event => event.kind === 'backfill' && event.subject === id
        ),
      [records, id]
    )
  );
}

/** The states of all windows as one bar. */
export function ProgressBar(props: {
  backfill: Pick<IBackfillDetail, 'counts' | 'size'>;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { backfill, trans } = props;
  const finished = backfill.size - countOf(backfill, ['waiting', 'running']);
  return (
    <div
      className="jp-Pipelines-progressBar"
      role="progressbar"
      aria-label={trans.__('Windows')}
      aria-valuemin={0}
      aria-valuemax={backfill.size}
      aria-valuenow={finished}
      aria-valuetext={progressText(backfill, trans)}
    >
      {PARTS.map(([tone, states]) => {
        const count = countOf(backfill, states);
        return (
          count > 0 && (
            <span
              key={tone}
              data-tone={tone || undefined}
              style={{ flexGrow: count }}
            />
          )
        );
      })}
    </div>
  );
}

export function BackfillActions(props: {
  live: ILive<IBackfillDetail>;
  backfill: IBackfillDetail;
  records: IRecords;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { live, backfill, records, trans } = props;
  const { api } = records;
  const action = useAction();
  const { id, state } = backfill;
  const failed = countOf(backfill, ['failed', 'crashed', 'cancelled']);
  const act = (ask: () => Promise<unknown>): void => {
    action.start(async () => {
      await ask();
      await live.refresh();
    });
  };
  const open = state === 'running' || state === 'paused' || state === 'stopped';
  return (
    <>
      <div
        className="jp-Pipelines-runActions"
        role="group"
        aria-label={trans.__('What to do with this backfill')}
      >
        {state === 'running' && (
          <Button
            disabled={action.busy}
            title={trans.__('What runs goes on to its end; nothing is begun.')}
            onClick={() => {
              act(() => api.pauseBackfill(id));
            }}
          >
            {trans.__('Pause')}
          </Button>
        )}
        {(state === 'paused' || (failed > 0 && state !== 'running')) &&
          state !== 'cancelled' && (
            <Button
              kind="primary"
              disabled={action.busy}
              onClick={() => {
                act(() => api.resumeBackfill(id));
              }}
            >
              {failed > 0 ? trans.__('Try failed again') : trans.__('Go on')}
            </Button>
          )}
        {failed > 0 && open && (
          <Button
            disabled={action.busy}
            title={trans.__(
              'Leave the windows that failed, and go on with the rest.'
            )}
            onClick={() => {
              act(() => api.resumeBackfill(id, true));
            }}
          >
            {trans.__('Give up failed')}
          </Button>
        )}
        {open && (
          <Button
            kind="danger"
            disabled={action.busy}
            onClick={() => {
              act(() => api.cancelBackfill(id));
            }}
          >
            {trans.__('Cancel')}
          </Button>
        )}
      </div>
      <ErrorNotice error={action.error} />
    </>
  );
}

export function Windows(props: {
  backfill: IBackfillDetail;
  trans: TranslationBundle;
  /** Show the run of a window. */
  onPick: (run: string) => void;
}): React.JSX.Element {
  const { backfill, trans, onPick } = props;
  return (
    <ol
      className="jp-Pipelines-windows"
      aria-label={trans.__('Windows, in the order in which they run')}
      tabIndex={0}
    >
      {backfill.windows.map(window => (
        <WindowLine
          key={window.key}
          window={window}
          unit={backfill.window}
          onPick={onPick}
          trans={trans}
        />
      ))}
    </ol>
  );
}

const WindowLine = React.memo(function WindowLine(props: {
  window: IBackfillWindow;
  unit: IBackfillDetail['window'];
  trans: TranslationBundle;
  onPick: (run: string) => void;
}): React.JSX.Element {
  const { window, unit, trans, onPick } = props;
  const text = windowText(window, unit);
  return (
    <li data-state={window.state}>
      <StateIcon state={window.state} trans={trans} decorative />
      {window.run ? (
        <LinkButton
          onClick={() => {
            onPick(window.run);
          }}
        >
          {text}
        </LinkButton>
      ) : (
        <span>{text}</span>
      )}
      <span className="jp-Pipelines-place">
        {wordOf(window.state, trans)}
        {window.attempt > 1 && ` · ${trans.__('attempt %1', window.attempt)}`}
      </span>
      {window.error && (
        <span className="jp-Pipelines-windowError" title={window.error}>
          {window.error}
        </span>
      )}
    </li>
  );
});

/** What is to be said of it: why it is left alone, why it waits. */
export function Remarks(props: {
  backfill: IBackfillDetail;
  trans: TranslationBundle;
}): React.JSX.Element | null {
  const { backfill, trans } = props;
  return (
    <>
      {backfill.problem && (
        <ErrorNotice error={new ApiError(backfill.problem)} />
      )}
      {backfill.state === 'stopped' && !backfill.problem && (
        <Notice tone="warning">
          {trans.__(
            'A window failed, and those after it wait. Try it again, or give it up and go on.'
          )}
        </Notice>
      )}
      {backfill.notes.map(note => (
        <Notice key={note}>
          <Message text={note} />
        </Notice>
      ))}
    </>
  );
}

export function BackfillDetail(props: {
  id: string;
  records: IRecords;
  commands: CommandRegistry;
  trans: TranslationBundle;
  onPick: (run: string) => void;
  onClose: () => void;
}): React.JSX.Element {
  const { id, records, commands, trans, onPick, onClose } = props;
  const live = useBackfill(records, id);
  const backfill = live.value;
  return (
    <section
      className="jp-Pipelines-runDetail"
      aria-label={trans.__('The backfill')}
    >
      <header>
        <h4>{trans.__('Backfill')}</h4>
        {backfill && <StateChip state={backfill.state} trans={trans} />}
        <IconButton
          icon={launchIcon}
          label={trans.__('Open the backfill in a tab')}
          onClick={() => {
            void commands.execute(CommandIDs.backfill, {
              path: backfill?.notebook ?? '',
              backfill: id
            });
          }}
        />
        <IconButton
          icon={closeIcon}
          label={trans.__('Close')}
          onClick={onClose}
        />
      </header>
      <StaleNotice live={live} trans={trans} />
      {backfill && (
        <>
          <ProgressBar backfill={backfill} trans={trans} />
          <p role="status">{progressText(backfill, trans)}</p>
          <Remarks backfill={backfill} trans={trans} />
          <BackfillActions
            live={live}
            backfill={backfill}
            records={records}
            trans={trans}
          />
          <Windows backfill={backfill} trans={trans} onPick={onPick} />
        </>
      )}
    </section>
  );
}
