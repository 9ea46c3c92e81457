/** The top of the panel: which pipeline it is, and how it is. */
import { refreshIcon } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { graphIcon } from '../../icons';
import { CommandIDs, type ICompilation } from '../../tokens';
import { IconButton } from '../../ui';
import type { IPanelContext } from '../panel/context';
import { countProblems } from '../panel/model';

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

export function Header(
  props: IPanelContext & { face: string }
): React.JSX.Element {
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
