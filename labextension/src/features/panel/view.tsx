/** The panel beside a notebook: from top to bottom what it is, what starts it, and what came of it. */
import * as React from 'react';
import type { IPipeline } from '../../api';
import { CommandIDs } from '../../tokens';
import { LinkButton, Notice, useSignals } from '../../ui';
import { Reliability } from '../alerts/view';
import { debuggedBy } from '../compilation/model';
import { Header } from '../header/view';
import { Parameters } from '../parameters/view';
import { Problems } from '../problems/view';
import { Runs } from '../runs/view';
import { Schedules } from '../schedules/view';
import { ServiceNotice } from '../service/view';
import { Steps } from '../steps/view';
import { Tables } from '../tables/view';
import { PublishBar } from '../versions/publish-bar';
import type { INotebookProps, IPanelContext, ISectionProps } from './context';
import { LoadingFace, MessageFace, UntaggedFace } from './faces';
import { faceOf } from './model';
import { NoNotebook } from './no-notebook';
import { KernelNotice, MovedNotice } from './notices';

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

/** What a notebook has with steps and without. */
const Sections = React.memo(function Sections(
  props: INotebookProps & { pipeline: IPipeline; tagged: boolean }
): React.JSX.Element {
  const { pipeline, commands, trans, tagged } = props;
  const section: ISectionProps = props;
  return (
    <>
      <Problems
        diagnostics={pipeline.diagnostics}
        compiler={props.compiler}
        onPick={place => {
          void commands.execute(CommandIDs.goToCell, { ...place });
        }}
        trans={trans}
      />
      {tagged && <Steps {...section} />}
      <Tables {...section} />
      <Parameters {...section} />
      <Schedules {...section} />
      <Reliability {...section} />
      <Runs {...section} />
      <PublishBar {...section} />
    </>
  );
});

/** The panel of an open notebook; `key`ed by its path, so that nothing of one is taken for another's. */
function NotebookPanel(props: INotebookProps): React.JSX.Element {
  const { compiler, commands, trans, notebook } = props;
  const { current } = compiler;
  const { notebook: panel, pipeline } = current;
  const face = faceOf(current);
  const debugged = face === 'debug' && panel?.model && debuggedBy(panel.model);
  if (debugged) {
    return (
      <MessageFace
        title={trans.__(
          'Step %1 of %2, as it was',
          debugged.step,
          debugged.notebook
        )}
        text={trans.__(
          'This notebook debugs that step, and is no pipeline of its own. Run all of its cells, change them until they do what they should, and put the change into %1 with the last cell.',
          debugged.notebook
        )}
      />
    );
  }
  return (
    <>
      <Header {...props} face={face} />
      {face !== 'error' && <StaleNotice {...props} />}
      <ServiceNotice {...props} />
      {panel && <KernelNotice panel={panel} {...props} />}
      <MovedNotice {...props} />
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
      {face === 'untagged' && panel && (
        <UntaggedFace
          trans={trans}
          commands={commands}
          path={notebook.notebook}
          canTag={panel.content.activeCell?.model.type === 'code'}
          onTag={() => {
            void commands.execute(CommandIDs.tagStep);
          }}
        />
      )}
      {(face === 'untagged' || face === 'steps') && pipeline && (
        <Sections {...props} pipeline={pipeline} tagged={face === 'steps'} />
      )}
    </>
  );
}

export function Panel(props: IPanelContext): React.JSX.Element {
  const { compiler, records } = props;
  useSignals(compiler.changed);
  const { notebook } = compiler.current;
  if (!notebook) {
    return <NoNotebook {...props} />;
  }
  const path = notebook.context.localPath;
  return <NotebookPanel key={path} {...props} notebook={records.of(path)} />;
}
