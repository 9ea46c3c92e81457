/** A page on the versions of one notebook: what is not published yet, what was, and what differs. */
import { ReactWidget } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import type { JSONObject } from '@lumino/coreutils';
import * as React from 'react';
import type { IVersion, IVersionDiff } from '../../api';
import {
  CommandIDs,
  type IDrifts,
  type INotebookRecords,
  type IRecords
} from '../../tokens';
import {
  Button,
  ErrorNotice,
  type IAction,
  instant,
  moment,
  relative,
  StaleNotice,
  useAction,
  useLive,
  useSignals
} from '../../ui';
import { Diff } from './diff';
import { countChanges, othersToContinue } from './model';

interface IProps {
  records: IRecords;
  drifts: IDrifts;
  commands: CommandRegistry;
  notebook: INotebookRecords;
  /** The notebook as it stands in an editor; `null` when it is not open. */
  contentOf: (path: string) => JSONObject | null;
  trans: TranslationBundle;
}

/** What is looked at: the notebook as it is now, or one of its versions. */
type Chosen = { now: true } | { now: false; version: IVersion };

/** The difference that is asked for; `null` while it is not known, or when there is nothing to compare with. */
function useDiff(
  props: IProps,
  chosen: Chosen,
  versions: readonly IVersion[]
): { diff: IVersionDiff | null; error: unknown; loading: boolean } {
  const { records, notebook, drifts, contentOf } = props;
  const [answer, setAnswer] = React.useState<{
    diff: IVersionDiff | null;
    error: unknown;
    loading: boolean;
  }>({ diff: null, error: null, loading: true });
  const published = versions.find(version => version.published);
  let older: string | undefined;
  let newer: string | undefined;
  if (chosen.now) {
    older = published?.id;
  } else {
    const at = versions.findIndex(({ id }) => id === chosen.version.id);
    older = versions[at + 1]?.id;
    newer = chosen.version.id;
  }
  // A change of the drift tells that the notebook was edited.
  const state = chosen.now ? drifts.current.drift : null;
  React.useEffect(() => {
    if (older === undefined) {
      setAnswer({ diff: null, error: null, loading: false });
      return;
    }
    const abort = new AbortController();
    setAnswer(last => ({ ...last, loading: true }));
    const path = notebook.notebook;
    const content = newer === undefined ? contentOf(path) : null;
    const asked = content
      ? records.api.review(older, path, content, abort.signal)
      : records.api.versionDiff(older, path, newer, abort.signal);
    asked.then(
      diff => {
        setAnswer({ diff, error: null, loading: false });
      },
      (error: unknown) => {
        if (!abort.signal.aborted) {
          setAnswer(last => ({ ...last, error, loading: false }));
        }
      }
    );
    return () => {
      abort.abort();
    };
  }, [records, notebook, contentOf, older, newer, state]);
  return answer;
}

function VersionItem(props: {
  version: IVersion;
  label: string;
  selected: boolean;
  onPick: () => void;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { version, label, selected, onPick, trans } = props;
  const time = instant(version.time);
  return (
    <li>
      <button type="button" aria-pressed={selected} onClick={onPick}>
        <span className="jp-Pipelines-versionName">
          {label}
          {version.published && (
            <span className="jp-Pipelines-tag">
              {version.pinned ? trans.__('pinned') : trans.__('published')}
            </span>
          )}
        </span>
        <span>{version.message || trans.__('No message')}</span>
        <span
          className="jp-Pipelines-hint"
          title={time ? moment(time) : undefined}
        >
          {[version.author, time ? relative(time) : '']
            .filter(part => part !== '')
            .join(' · ')}
        </span>
      </button>
    </li>
  );
}

/** What can be done with a version that is not the published one, or is pinned. */
function VersionActions(
  props: IProps & { version: IVersion; label: string; action: IAction }
): React.JSX.Element {
  const { records, notebook, version, label, action, trans } = props;
  const { api } = records;
  const path = notebook.notebook;
  const start = (work: () => Promise<unknown>): void => {
    action.start(async () => {
      await work();
      await notebook.versions.refresh();
      await props.drifts.refresh();
    });
  };
  return (
    <div className="jp-Pipelines-buttons">
      {!version.published && (
        <Button
          disabled={action.busy}
          onClick={() => {
            start(() => api.rollback(version.id, path, ''));
          }}
        >
          {trans.__('Publish %1 again', label)}
        </Button>
      )}
      {version.pinned ? (
        <Button
          disabled={action.busy}
          onClick={() => {
            start(() => api.unpin(path));
          }}
        >
          {trans.__('Unpin')}
        </Button>
      ) : (
        <Button
          disabled={action.busy}
          title={trans.__(
            'Schedules run it, whatever is published later, until it is unpinned'
          )}
          onClick={() => {
            start(() => api.pin(version.id, path, ''));
          }}
        >
          {trans.__('Pin %1', label)}
        </Button>
      )}
    </div>
  );
}

/** What is not published yet: a message, and the button. */
function PublishForm(
  props: IProps & { action: IAction; first: boolean }
): React.JSX.Element {
  const { records, commands, notebook, action, first, trans } = props;
  const [message, setMessage] = React.useState('');
  const path = notebook.notebook;
  const [continuing, setContinuing] = React.useState('');
  const pipelines = useLive(records.pipelines).value;
  const others = first ? othersToContinue(pipelines ?? [], path) : [];
  return (
    <form
      className="jp-Pipelines-publishForm"
      onSubmit={event => {
        event.preventDefault();
        action.start(async () => {
          await commands.execute(CommandIDs.publish, {
            path,
            message,
            continuing
          });
          setMessage('');
          setContinuing('');
        });
      }}
    >
      <label>
        <span>{trans.__('What has changed, in a few words')}</span>
        <input
          value={message}
          placeholder={trans.__('Optional')}
          onChange={event => {
            setMessage(event.target.value);
          }}
        />
      </label>
      {others.length > 0 && (
        <label>
          <span>{trans.__('It is')}</span>
          <select
            value={continuing}
            onChange={event => {
              setContinuing(event.target.value);
            }}
          >
            <option value="">{trans.__('a pipeline of its own')}</option>
            {others.map(other => (
              <option key={other} value={other}>
                {trans.__('the next version of %1', other)}
              </option>
            ))}
          </select>
        </label>
      )}
      <Button kind="primary" submit disabled={action.busy}>
        {action.busy
          ? trans.__('Publishing…')
          : first && !continuing
            ? trans.__('Publish the first version')
            : trans.__('Publish')}
      </Button>
    </form>
  );
}

function Page(props: IProps): React.JSX.Element {
  const { notebook, drifts, commands, trans } = props;
  useSignals(drifts.changed);
  const live = useLive(notebook.versions);
  const action = useAction();
  const [picked, setPicked] = React.useState('');
  const versions = live.value ?? [];
  const version = versions.find(({ id }) => id === picked);
  const chosen: Chosen = version ? { now: false, version } : { now: true };
  const { diff, error, loading } = useDiff(props, chosen, versions);
  const { drift, path } = drifts.current;
  const changes =
    drift?.version && path === notebook.notebook ? countChanges(drift) : null;
  const labelOf = (which: IVersion): string =>
    `v${versions.length - versions.indexOf(which)}`;
  const pick = (id: string): void => {
    action.clear();
    setPicked(id);
  };
  return (
    <>
      <nav
        className="jp-Pipelines-versions"
        aria-label={trans.__('Versions of %1', notebook.notebook)}
      >
        <ol>
          <li>
            <button
              type="button"
              aria-pressed={chosen.now}
              onClick={() => {
                pick('');
              }}
            >
              <span className="jp-Pipelines-versionName">
                {trans.__('The notebook now')}
              </span>
              <span className="jp-Pipelines-hint">
                {changes === null
                  ? trans.__('Compared as it is saved')
                  : changes === 0
                    ? trans.__('As published')
                    : trans._n(
                        '%1 unpublished change',
                        '%1 unpublished changes',
                        changes
                      )}
              </span>
            </button>
          </li>
          {versions.map(which => (
            <VersionItem
              key={which.id}
              version={which}
              label={labelOf(which)}
              selected={which.id === version?.id}
              trans={trans}
              onPick={() => {
                pick(which.id);
              }}
            />
          ))}
        </ol>
      </nav>
      <main className="jp-Pipelines-review">
        <h2>{notebook.notebook.split('/').pop()}</h2>
        <StaleNotice live={live} trans={trans} />
        <ErrorNotice error={action.error} />
        {chosen.now ? (
          changes !== 0 && (
            <PublishForm
              {...props}
              action={action}
              first={live.value !== null && versions.length === 0}
            />
          )
        ) : (
          <VersionActions
            {...props}
            version={chosen.version}
            label={labelOf(chosen.version)}
            action={action}
          />
        )}
        <ErrorNotice error={error} />
        <div aria-busy={loading} className="jp-Pipelines-compared">
          {diff ? (
            <Diff
              diff={diff}
              trans={trans}
              onPick={
                chosen.now
                  ? cell => {
                      void commands.execute(CommandIDs.openNotebook, {
                        path: notebook.notebook,
                        cell
                      });
                    }
                  : undefined
              }
            />
          ) : (
            !loading && (
              <p className="jp-Pipelines-hint">
                {versions.length === 0
                  ? trans.__(
                      'Nothing is published yet. Schedules run what is published, never the file that you edit.'
                    )
                  : trans.__('This is the first version.')}
              </p>
            )
          )}
        </div>
      </main>
    </>
  );
}

/** See the top of this file. */
export class ReviewWidget extends ReactWidget {
  constructor(private readonly _props: IProps) {
    super();
    this.addClass('jp-Pipelines-reviewPage');
  }

  protected override render(): React.JSX.Element {
    return <Page {...this._props} />;
  }
}
