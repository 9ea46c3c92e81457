/** What stands in the way of running this notebook, and the way out. */
import type { NotebookPanel } from '@jupyterlab/notebook';
import * as React from 'react';
import { CommandIDs } from '../../tokens';
import {
  Button,
  LinkButton,
  Message,
  Notice,
  useLive,
  useSignals
} from '../../ui';
import type { INotebookProps } from './context';
import { movedFrom } from './model';

/** The kernel that the notebook names, where it is not installed; empty when all is well or not known yet. */
function missingKernel(panel: NotebookPanel): string {
  const { specs } = panel.sessionContext.specsManager;
  const spec = panel.model?.getMetadata('kernelspec') as
    { name?: unknown } | undefined;
  const name = typeof spec?.name === 'string' ? spec.name : '';
  return specs && name && !Object.hasOwn(specs.kernelspecs, name) ? name : '';
}

export function KernelNotice(
  props: INotebookProps & { panel: NotebookPanel }
): React.JSX.Element | null {
  const { panel, commands, trans } = props;
  useSignals(panel.sessionContext.specsManager.specsChanged);
  const name = missingKernel(panel);
  if (!name) {
    return null;
  }
  return (
    <Notice tone="warning">
      <p>
        <Message
          text={trans.__(
            'The kernel `%1` of this notebook is not installed here, so it cannot run.',
            name
          )}
        />
      </p>
      <LinkButton
        onClick={() => {
          void commands.execute('notebook:change-kernel');
        }}
      >
        {trans.__('Choose another kernel')}
      </LinkButton>
    </Notice>
  );
}

/** Is this notebook one that is on record under a path where nothing is any more? */
export function MovedNotice(props: INotebookProps): React.JSX.Element | null {
  const { notebook, records, commands, trans } = props;
  const summary = useLive(notebook.summary);
  const pipelines = useLive(records.pipelines).value;
  const before = movedFrom(summary.value, pipelines ?? []);
  if (!before) {
    return null;
  }
  return (
    <Notice tone="warning">
      <p>
        <Message
          text={trans.__(
            '`%1` is on record, and is no longer there. Is it this notebook, moved?',
            before.notebook
          )}
        />
      </p>
      <Button
        onClick={() => {
          void commands.execute(CommandIDs.relink, {
            path: before.notebook,
            to: notebook.notebook
          });
        }}
      >
        {trans.__('Relink')}
      </Button>
    </Notice>
  );
}
