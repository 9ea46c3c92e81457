/** The panel beside a notebook: from top to bottom what it is, what starts it, and what came of it. */
import * as React from 'react';
import type { IPipeline } from '../../api';
import { CommandIDs } from '../../tokens';
import { LinkButton, Notice, useSignals } from '../../ui';
import { Reliability } from '../alerts/view';
import { Dag } from '../dag/view';
import { Header } from '../header/view';
import { Parameters } from '../parameters/view';
import { Problems } from '../problems/view';
import { Runs } from '../runs/view';
import { Schedules } from '../schedules/view';
import { Steps } from '../steps/list';
import { PublishBar } from '../versions/publish-bar';
import type { IPanelContext, ISectionProps } from './context';
import { LoadingFace, MessageFace, UntaggedFace } from './faces';
import { faceOf, stepOfCell } from './model';

/** An answer that is shown although a newer one could not be had. */
function StaleNotice(props: IPanelContext): React.JSX.Element | null {
  const { compiler, trans } = props;
  const { error } = compiler.current;
  if (!error) {
    return null;
  }
  return (
    <Notice tone="error">
      <p>
        {error}{' '}
        {trans.__('What you see is the notebook before your last edits.')}
      </p>
      <LinkButton
        onClick={() => {
          void compiler.refresh();
        }}
      >
        {trans.__('Try again')}
      </LinkButton>
    </Notice>
  );
}

function Sections(
  props: IPanelContext & {
    pipeline: IPipeline;
    activeCell: number;
    path: string;
  }
): React.JSX.Element {
  const { pipeline, activeCell, commands, trans, records, path } = props;
  const section: ISectionProps = { ...props, notebook: records.of(path) };
  const selected = stepOfCell(pipeline, activeCell);
  const goToCell = (cell: number): void => {
    void commands.execute(CommandIDs.goToCell, { cell });
  };
  const goToStep = (name: string): void => {
    const step = pipeline.steps.find(candidate => candidate.name === name);
    goToCell(step?.cells[0] ?? 0);
  };
  return (
    <>
      <div className="jp-Pipelines-dagFrame">
        <Dag
          pipeline={pipeline}
          selected={selected}
          onPick={goToStep}
          trans={trans}
        />
      </div>
      <Problems
        diagnostics={pipeline.diagnostics}
        onPick={goToCell}
        trans={trans}
      />
      <Steps
        pipeline={pipeline}
        selected={selected}
        onPick={goToStep}
        trans={trans}
      />
      <Parameters parameters={pipeline.parameters} trans={trans} />
      <Schedules {...section} />
      <Reliability {...section} />
      <Runs {...section} />
      <PublishBar {...section} />
    </>
  );
}

export function Panel(props: IPanelContext): React.JSX.Element {
  const { compiler, commands, trans } = props;
  useSignals(compiler.changed);
  const { current } = compiler;
  const face = faceOf(current);
  const { notebook, pipeline } = current;
  return (
    <>
      <Header {...props} face={face} />
      {face !== 'error' && <StaleNotice {...props} />}
      {face === 'no-notebook' && (
        <MessageFace
          title={trans.__('No notebook is open')}
          text={trans.__(
            'Open a notebook to see the steps it is made of, and what flows between them.'
          )}
        />
      )}
      {face === 'loading' && <LoadingFace trans={trans} />}
      {face === 'error' && (
        <MessageFace
          title={trans.__('The pipeline cannot be shown')}
          text={current.error}
          action={trans.__('Try again')}
          onAction={() => {
            void compiler.refresh();
          }}
        />
      )}
      {face === 'untagged' && notebook && (
        <UntaggedFace
          trans={trans}
          canTag={notebook.content.activeCell?.model.type === 'code'}
          onTag={() => {
            void commands.execute(CommandIDs.tagStep);
          }}
        />
      )}
      {face === 'untagged' && pipeline && (
        <Problems
          diagnostics={pipeline.diagnostics}
          trans={trans}
          onPick={cell => {
            void commands.execute(CommandIDs.goToCell, { cell });
          }}
        />
      )}
      {face === 'steps' && pipeline && current.notebook && (
        <Sections
          {...props}
          key={current.notebook.context.localPath}
          path={current.notebook.context.localPath}
          pipeline={pipeline}
          activeCell={current.activeCell}
        />
      )}
    </>
  );
}
