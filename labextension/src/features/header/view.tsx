/** The top of the panel: which pipeline it is, how it is, and running it. */
import {
  caretDownEmptyIcon,
  runIcon,
  stopIcon
} from '@jupyterlab/ui-components';
import * as React from 'react';
import { ApiError } from '../../api';
import { CommandIDs } from '../../tokens';
import {
  Button,
  ErrorNotice,
  IconButton,
  StateChip,
  Switch,
  useLive,
  useSignals,
  wordOfPipeline
} from '../../ui';
import type { INotebookProps, IPanelContext } from '../panel/context';
import { countProblems, type Face } from '../panel/model';
import { useHeard } from '../running/heard';
import { openRunMenu } from '../running/menu';
import { goesOn, isAway, stateOf } from '../running/model';
import { StartService } from '../service/view';
import { VersionLine } from '../versions/publish-bar';
import { LastRun } from './last-run';
import { Verification } from './verification';

/** What there is of it, for screen readers to follow; everybody else sees the sections below. */
function Spoken(props: IPanelContext & { face: Face }): React.JSX.Element {
  const { compiler, trans, face } = props;
  const { pipeline, error } = compiler.current;
  const parts: string[] = [];
  if (pipeline && face === 'steps') {
    const { errors, warnings } = countProblems(pipeline.diagnostics);
    parts.push(trans._n('%1 step', '%1 steps', pipeline.steps.length));
    if (errors > 0) {
      parts.push(trans._n('%1 error', '%1 errors', errors));
    }
    if (warnings > 0) {
      parts.push(trans._n('%1 warning', '%1 warnings', warnings));
    }
    if (error) {
      parts.push(trans.__('not up to date'));
    }
  }
  return (
    <p className="jp-Pipelines-forReaders" aria-live="polite">
      {parts.join(', ')}
    </p>
  );
}

/** One button that runs all, or stops what goes on; and beside it the other ways. */
function RunButtons(props: INotebookProps): React.JSX.Element {
  const { notebook, running, commands, trans } = props;
  const path = notebook.notebook;
  useSignals(running.changed);
  const { doing } = running.of(path);
  const going = useLive(notebook.runs).value?.some(goesOn) ?? false;
  const menu = React.useRef<HTMLSpanElement>(null);
  const words = {
    saving: trans.__('Saving…'),
    starting: trans.__('Starting…'),
    resuming: trans.__('Resuming…'),
    cancelling: trans.__('Cancelling…'),
    verifying: trans.__('Starting…'),
    pausing: ''
  };
  return (
    <div
      className="jp-Pipelines-split"
      role="group"
      aria-label={trans.__('Run')}
    >
      <Button
        kind={going ? 'plain' : 'primary'}
        icon={going ? stopIcon : runIcon}
        disabled={doing !== null}
        title={
          going
            ? trans.__('Cancel the run that goes on')
            : trans.__('Save the notebook, and run it in kernels of its own')
        }
        onClick={() => {
          void commands.execute(going ? CommandIDs.cancel : CommandIDs.run, {
            path
          });
        }}
      >
        {(doing && words[doing]) ||
          (going ? trans.__('Cancel run') : trans.__('Run now'))}
      </Button>
      <span ref={menu}>
        <IconButton
          icon={caretDownEmptyIcon}
          label={trans.__('More ways to run')}
          aria-haspopup="menu"
          onClick={event => {
            openRunMenu(commands, event.currentTarget, path);
          }}
        />
      </span>
    </div>
  );
}

/** All its schedules and triggers at once; nothing where there are none. */
function PauseSwitch(props: INotebookProps): React.JSX.Element | null {
  const { notebook, running, trans } = props;
  const schedules = useLive(notebook.schedules).value ?? [];
  const triggers = useLive(notebook.triggers).value ?? [];
  const all = [...schedules, ...triggers];
  if (all.length === 0) {
    return null;
  }
  const active = all.some(({ paused }) => !paused);
  const doing = running.of(notebook.notebook).doing;
  return (
    <div className="jp-Pipelines-pause">
      <span aria-hidden="true">
        {active ? trans.__('Scheduled') : trans.__('Paused')}
      </span>
      <Switch
        label={
          active
            ? trans.__('Schedules run: pause all of them')
            : trans.__('All schedules are paused: let them run')
        }
        checked={active}
        disabled={doing !== null}
        onChange={on => {
          void running.pause(notebook.notebook, !on);
        }}
      />
    </div>
  );
}

function State(props: INotebookProps): React.JSX.Element {
  const { notebook, records, trans } = props;
  const summary = useLive(notebook.summary);
  const runs = useLive(notebook.runs);
  const service = useLive(records.service);
  const heard = useHeard(records);
  const state = stateOf({
    summary: summary.value,
    runs: runs.value,
    service: service.value,
    heard
  });
  return (
    <span role="status" className="jp-Pipelines-state" data-state={state}>
      <StateChip
        state={state}
        word={wordOfPipeline(state, runs.value?.[0]?.state, trans)}
        trans={trans}
      />
    </span>
  );
}

/** Why the last thing that was asked for was not done. */
function Problem(props: INotebookProps): React.JSX.Element | null {
  const { compiler, notebook, running, records, trans } = props;
  const path = notebook.notebook;
  useSignals(running.changed);
  const { error } = running.of(path);
  const { pipeline } = compiler.current;
  const service = useLive(records.service).value;
  if (!error) {
    return null;
  }
  // What the server says of each finding stands below, at its place.
  const isWrong =
    error.status === 422 &&
    countProblems(pipeline?.diagnostics ?? []).errors > 0;
  const shown = isWrong
    ? new ApiError(
        trans.__('The notebook has errors, so nothing was run.'),
        trans.__('Put right what stands under Problems.')
      )
    : error;
  return (
    <ErrorNotice error={shown}>
      <div className="jp-Pipelines-row">
        {isAway(service) && <StartService records={records} trans={trans} />}
        <Button
          onClick={() => {
            running.clear(path);
          }}
        >
          {trans.__('Dismiss')}
        </Button>
      </div>
    </ErrorNotice>
  );
}

/** The top of the panel of an open notebook. */
export function Header(
  props: INotebookProps & { face: Face }
): React.JSX.Element {
  const { compiler, notebook, drifts, commands, trans } = props;
  const { pending } = compiler.current;
  const name = notebook.notebook.split('/').pop();
  return (
    <>
      <header className="jp-Pipelines-header">
        <div className="jp-Pipelines-title">
          <h2 title={notebook.notebook}>{name}</h2>
          <State {...props} />
        </div>
        <div className="jp-Pipelines-title">
          <RunButtons {...props} />
          <PauseSwitch {...props} />
        </div>
        <Spoken {...props} />
        <div
          className="jp-Pipelines-progress"
          data-pending={pending || undefined}
          aria-hidden="true"
        />
      </header>
      <div className="jp-Pipelines-headMore">
        <VersionLine
          drifts={drifts}
          notebook={notebook}
          commands={commands}
          trans={trans}
        />
        <LastRun {...props} />
        <Verification {...props} />
      </div>
      <Problem {...props} />
    </>
  );
}
