/** What can be done with a run. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { linkIcon, notebookIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import {
  ApiError,
  type IRun,
  type IRunRequest,
  type IStepBrief
} from '../../api';
import { CommandIDs, type IRecords } from '../../tokens';
import {
  Button,
  ErrorNotice,
  IconButton,
  type IAction,
  useLive
} from '../../ui';
import { isGoingOn } from './model';

/** What the server shows of a secret that is kept nowhere. */
const HIDDEN = '***';

/** The same again: the same parameters and part of the pipeline, or all `from` a step. */
export function againOf(
  run: IRun,
  trans: TranslationBundle,
  from = ''
): IRunRequest {
  const { notebook, parameters, published, only, from_step, until } = run;
  if (notebook === null) {
    throw new ApiError(
      trans.__(
        'The notebook of this run is outside the server’s root directory.'
      )
    );
  }
  const hidden = Object.keys(parameters).filter(
    name => parameters[name] === HIDDEN
  );
  if (hidden.length > 0) {
    throw new ApiError(
      trans.__(
        'The value of `%1` was not kept, because it is secret.',
        hidden[0]
      ),
      trans.__('Run the pipeline with parameters, and give it again.')
    );
  }
  const part = from ? { from_step: from } : { only, from_step, until };
  return {
    notebook,
    parameters,
    ...(published ? { version: published } : {}),
    ...Object.fromEntries(
      Object.entries(part).filter(([, value]) => value !== '')
    )
  };
}

export function RunActions(props: {
  run: IRun;
  /** The step that is looked at. */
  step: IStepBrief | null;
  action: IAction;
  records: IRecords;
  commands: CommandRegistry;
  trans: TranslationBundle;
  /** A run that was started by these. */
  onStarted: (run: IRun) => void;
  /** On the page of the run itself. */
  onPage?: boolean;
}): React.JSX.Element {
  const { run, step, action, records, commands, trans, onStarted, onPage } =
    props;
  const { api } = records;
  const keeping = useLive(
    React.useMemo(
      () =>
        records.live(
          signal => records.api.isKept(run.id, signal),
          () => false
        ),
      [records, run.id]
    )
  );
  const kept = keeping.value ?? false;
  const start = (ask: () => Promise<IRun>): void => {
    action.start(async () => {
      onStarted(await ask());
    });
  };
  const goingOn = isGoingOn(run.state);
  const canResume = !goingOn && run.state !== 'completed';
  const begun = step !== null && step.state !== 'pending';
  return (
    <>
      <div
        className="jp-Pipelines-runActions"
        role="group"
        aria-label={trans.__('What to do with this run')}
      >
        {goingOn && (
          <Button
            kind="danger"
            disabled={action.busy}
            onClick={() => {
              action.start(() => api.cancelRun(run.id));
            }}
          >
            {trans.__('Cancel')}
          </Button>
        )}
        {canResume && (
          <Button
            kind="primary"
            disabled={action.busy}
            title={trans.__('What succeeded is taken over; the rest runs.')}
            onClick={() => {
              start(() => api.resumeRun(run.id));
            }}
          >
            {trans.__('Resume')}
          </Button>
        )}
        {!goingOn && begun && (
          <Button
            disabled={action.busy}
            title={trans.__(
              'Runs %1 and all that depends on it, with the same parameters.',
              step.name
            )}
            onClick={() => {
              start(async () => api.submit(againOf(run, trans, step.name)));
            }}
          >
            {trans.__('Run from here')}
          </Button>
        )}
        {!goingOn && begun && (
          <Button
            disabled={action.busy}
            title={trans.__(
              'Opens a notebook that has what %1 had when it began.',
              step.name
            )}
            onClick={() => {
              action.start(async () => {
                const { path } = await api.debugStep(run.id, step.name);
                await commands.execute(CommandIDs.openNotebook, { path });
              });
            }}
          >
            {trans.__('Debug here')}
          </Button>
        )}
        <Button
          disabled={action.busy}
          title={trans.__('Runs it all, with the same parameters.')}
          onClick={() => {
            start(async () => api.submit(againOf(run, trans)));
          }}
        >
          {trans.__('Run again')}
        </Button>
        <Button
          aria-pressed={kept}
          disabled={action.busy}
          title={trans.__('Cleaning up leaves a run alone that is kept.')}
          onClick={() => {
            action.start(async () => {
              keeping.set((await api.keepRun(run.id, !kept)).keep);
            });
          }}
        >
          {kept ? trans.__('Kept') : trans.__('Keep')}
        </Button>
        <IconButton
          icon={notebookIcon}
          label={trans.__('Open the executed notebook')}
          onClick={() => {
            action.start(() =>
              commands.execute(CommandIDs.openExecuted, { run: run.id })
            );
          }}
        />
        {!onPage && (
          <IconButton
            icon={linkIcon}
            label={trans.__('Open the page of this run')}
            onClick={() => {
              void commands.execute(CommandIDs.openRun, { run: run.id });
            }}
          />
        )}
      </div>
      <ErrorNotice error={action.error} />
    </>
  );
}
