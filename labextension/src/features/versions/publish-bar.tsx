/** Says at the foot of the panel what is not published yet, and beside the name which version is. */
import type { CommandRegistry } from '@lumino/commands';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { CommandIDs, type IDrifts, type INotebookRecords } from '../../tokens';
import {
  Button,
  ErrorNotice,
  LinkButton,
  useAction,
  useLive,
  useSignals
} from '../../ui';
import { changesInWords, countChanges } from './model';

interface IProps {
  drifts: IDrifts;
  notebook: INotebookRecords;
  commands: CommandRegistry;
  trans: TranslationBundle;
}

/** `v7 · 3 cells changed · Review`; while nothing is published, a way to it once a run was good. */
export function VersionLine(props: IProps): React.JSX.Element | null {
  const { drifts, notebook, commands, trans } = props;
  useSignals(drifts.changed);
  const summary = useLive(notebook.summary).value;
  const { drift, path } = drifts.current;
  const last = useLive(notebook.runs).value?.[0];
  const version = summary?.version;
  if (!version) {
    return summary && last?.state === 'completed' ? (
      <span className="jp-Pipelines-versionLine">
        <LinkButton
          title={trans.__('Schedules run what is published, whatever you edit')}
          onClick={() => {
            void commands.execute(CommandIDs.publish, {
              path: notebook.notebook
            });
          }}
        >
          {trans.__('Publish')}
        </LinkButton>
      </span>
    ) : null;
  }
  const changes =
    drift?.version && path === notebook.notebook
      ? changesInWords(drift, trans)
      : '';
  return (
    <span className="jp-Pipelines-versionLine">
      {changes ? `${version.label} · ${changes} · ` : `${version.label} · `}
      <LinkButton
        onClick={() => {
          void commands.execute(CommandIDs.review, { path: notebook.notebook });
        }}
      >
        {changes ? trans.__('Review') : trans.__('Versions')}
      </LinkButton>
    </span>
  );
}

/** Stays in sight while the open notebook is not what its schedules run. */
export function PublishBar(props: IProps): React.JSX.Element | null {
  const { drifts, notebook, commands, trans } = props;
  useSignals(drifts.changed);
  const action = useAction();
  const { drift, path } = drifts.current;
  const count = drift?.version ? countChanges(drift) : 0;
  if (path !== notebook.notebook || (count === 0 && action.error === null)) {
    return null;
  }
  return (
    <footer
      className="jp-Pipelines-publishBar"
      aria-label={trans.__('Unpublished changes')}
    >
      <ErrorNotice error={action.error} />
      <div>
        <span aria-live="polite">
          {trans._n('%1 unpublished change', '%1 unpublished changes', count)}
        </span>
        <LinkButton
          onClick={() => {
            void commands.execute(CommandIDs.review, { path });
          }}
        >
          {trans.__('Review')}
        </LinkButton>
        <Button
          kind="primary"
          disabled={action.busy}
          onClick={event => {
            const panel = event.currentTarget.closest<HTMLElement>(
              '.jp-Pipelines-panel'
            );
            action.start(async () => {
              await commands.execute(CommandIDs.publish, { path });
              // The bar goes, and the focus with it.
              panel?.focus({ preventScroll: true });
            });
          }}
        >
          {action.busy ? trans.__('Publishing…') : trans.__('Publish')}
        </Button>
      </div>
    </footer>
  );
}
