/** The panel beside a notebook: what its pipeline is, what is wrong with it, and what the active cell is to it. */
import { ReactWidget, refreshIcon, UseSignal } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import type { IPipeline } from '../../api';
import { graphIcon } from '../../icons';
import { CommandIDs, type ICompilation, type ICompiler } from '../../tokens';
import { Dag } from '../dag/view';
import { countProblems, faceOf, stepOfCell } from './model';
import { IconButton } from './icon-button';
import { executeInNotebook, RolePicker } from './role-picker';
import { Parameters, Problems, Steps } from './sections';
import { LoadingFace, MessageFace, UntaggedFace } from './faces';

/** What every part of the panel needs. */
export interface IContext {
  compiler: ICompiler;
  commands: CommandRegistry;
  trans: TranslationBundle;
}

/** What the panel is about, in one line that screen readers follow. */
function summaryOf(
  { pipeline, error }: ICompilation,
  face: string,
  trans: TranslationBundle
): string {
  if (!pipeline || face === 'untagged') {
    return '';
  }
  const { errors, warnings } = countProblems(pipeline.diagnostics);
  return [
    trans._n('%1 step', '%1 steps', pipeline.steps.length),
    errors > 0 ? trans._n('%1 error', '%1 errors', errors) : '',
    warnings > 0 ? trans._n('%1 warning', '%1 warnings', warnings) : '',
    error ? trans.__('not up to date') : ''
  ]
    .filter(part => part !== '')
    .join(' · ');
}

function Header(props: IContext & { face: string }): React.JSX.Element {
  const { compiler, commands, trans, face } = props;
  const { current } = compiler;
  const name = current.notebook?.context.path.split('/').pop();
  return (
    <header className="jp-Pipelines-header">
      <div className="jp-Pipelines-heading">
        <h2 title={current.notebook?.context.path}>
          {name ?? trans.__('Pipeline')}
        </h2>
        <p aria-live="polite">{summaryOf(current, face, trans)}</p>
      </div>
      {face === 'steps' && (
        <IconButton
          icon={graphIcon}
          label={trans.__('Open the graph in a tab')}
          onClick={() => {
            void commands.execute(CommandIDs.openGraph);
          }}
        />
      )}
      {current.notebook && (
        <IconButton
          icon={refreshIcon}
          label={trans.__('Compile again')}
          onClick={() => {
            void compiler.refresh();
          }}
        />
      )}
      <div
        className="jp-Pipelines-progress"
        data-pending={current.pending || undefined}
        aria-hidden="true"
      />
    </header>
  );
}

/** An answer that is shown although a newer one could not be had. */
function StaleNotice(props: IContext): React.JSX.Element | null {
  const { compiler, trans } = props;
  const { error } = compiler.current;
  if (!error) {
    return null;
  }
  return (
    <div className="jp-Pipelines-notice" role="alert">
      <p>
        {error}{' '}
        {trans.__('What you see is the notebook before your last edits.')}
      </p>
      <button
        type="button"
        className="jp-Pipelines-link"
        onClick={() => {
          void compiler.refresh();
        }}
      >
        {trans.__('Try again')}
      </button>
    </div>
  );
}

function StepsFace(
  props: IContext & { pipeline: IPipeline; activeCell: number }
): React.JSX.Element {
  const { pipeline, activeCell, commands, trans } = props;
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
    </>
  );
}

export function Panel(props: IContext): React.JSX.Element {
  const { compiler, commands, trans } = props;
  const { current } = compiler;
  const face = faceOf(current);
  const { notebook, pipeline } = current;
  return (
    <>
      <Header {...props} face={face} />
      {face !== 'error' && <StaleNotice {...props} />}
      {notebook && (face === 'steps' || face === 'untagged') && (
        <RolePicker
          notebook={notebook.content}
          commands={commands}
          trans={trans}
          names={
            face === 'steps'
              ? (pipeline?.steps.map(step => step.name) ?? [])
              : []
          }
          inherited={
            face === 'steps' && pipeline
              ? stepOfCell(pipeline, current.activeCell)
              : ''
          }
        />
      )}
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
            void executeInNotebook(
              commands,
              CommandIDs.tagStep,
              notebook.content
            );
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
      {face === 'steps' && pipeline && (
        <StepsFace
          {...props}
          pipeline={pipeline}
          activeCell={current.activeCell}
        />
      )}
    </>
  );
}

export class PipelinePanel extends ReactWidget {
  constructor(private readonly _context: IContext) {
    super();
    this.id = 'jupyter-pipelines-panel';
    this.addClass('jp-Pipelines-panel');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', this._context.trans.__('Pipeline'));
  }

  protected override render(): React.JSX.Element {
    return (
      <UseSignal signal={this._context.compiler.changed}>
        {() => <Panel {...this._context} />}
      </UseSignal>
    );
  }
}
