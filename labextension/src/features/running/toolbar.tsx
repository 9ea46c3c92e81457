/** In the toolbar of each notebook: run it, and how its pipeline is. */
import type { IToolbarWidgetRegistry } from '@jupyterlab/apputils';
import type { NotebookPanel } from '@jupyterlab/notebook';
import {
  caretDownEmptyIcon,
  ReactWidget,
  ToolbarButtonComponent
} from '@jupyterlab/ui-components';
import type { Widget } from '@lumino/widgets';
import * as React from 'react';
import { pipelineIcon } from '../../icons';
import { CommandIDs } from '../../tokens';
import { StateIcon, useLive, useSignals, wordOfPipeline } from '../../ui';
import type { IServices } from './commands';
import { useHeard } from './heard';
import { openRunMenu } from './menu';
import { goesOn, progressOf, stateOf } from './model';

type Props = Pick<IServices, 'app' | 'records' | 'running' | 'trans'> & {
  panel: NotebookPanel;
};

/** The path of a notebook, also after it is renamed. */
function usePath(panel: NotebookPanel): string {
  useSignals(panel.context.pathChanged);
  return panel.context.localPath;
}

function RunButton(props: Props): React.JSX.Element {
  const { app, running, trans, panel } = props;
  const path = usePath(panel);
  useSignals(running.changed);
  const { doing } = running.of(path);
  const menu = React.useRef<HTMLButtonElement>(null);
  return (
    <div
      className="jp-Pipelines-split"
      role="group"
      aria-label={trans.__('Run pipeline')}
    >
      <button
        type="button"
        className="jp-Pipelines-toolButton"
        disabled={doing !== null}
        title={trans.__(
          'Save the notebook and run it as a pipeline, in kernels of its own'
        )}
        onClick={() => {
          void app.commands.execute(CommandIDs.run, { path });
        }}
      >
        <pipelineIcon.react tag="span" />
        <span className="jp-Pipelines-toolWord">
          {trans.__('Run pipeline')}
        </span>
      </button>
      <button
        ref={menu}
        type="button"
        className="jp-Pipelines-toolButton jp-mod-caret"
        aria-haspopup="menu"
        aria-label={trans.__('More ways to run')}
        title={trans.__('More ways to run')}
        onClick={() => {
          if (menu.current) {
            openRunMenu(app.commands, menu.current, path);
          }
        }}
      >
        <caretDownEmptyIcon.react tag="span" />
      </button>
    </div>
  );
}

function StateButton(props: Props): React.JSX.Element {
  const { app, records, trans, panel } = props;
  const known = records.of(usePath(panel));
  const summary = useLive(known.summary);
  const runs = useLive(known.runs);
  const service = useLive(records.service);
  const state = stateOf({
    summary: summary.value,
    runs: runs.value,
    service: service.value,
    heard: useHeard(records)
  });
  const current = runs.value?.find(goesOn);
  const progress = current && progressOf(current);
  const word = wordOfPipeline(state, runs.value?.[0]?.state, trans);
  const label =
    progress && progress.all > 1
      ? `${word} ${progress.done}/${progress.all}`
      : word;
  return (
    <button
      type="button"
      className="jp-Pipelines-toolButton"
      data-state={state}
      title={trans.__('Pipeline: %1. Show it beside the notebook', label)}
      aria-label={trans.__('Pipeline: %1', label)}
      onClick={() => {
        void app.commands.execute(CommandIDs.showPanel);
      }}
    >
      <StateIcon state={state} trans={trans} decorative />
      <span className="jp-Pipelines-toolWord">{label}</span>
    </button>
  );
}

function ScheduleButton(props: Props): React.JSX.Element {
  const { app, trans, panel } = props;
  const path = usePath(panel);
  return (
    <ToolbarButtonComponent
      label={trans.__('Schedule')}
      tooltip={trans.__('Have this notebook run at certain times')}
      onClick={() => {
        void app.commands.execute(CommandIDs.schedule, { path });
      }}
    />
  );
}

/** The items that `schema/running.json` puts into the toolbar. */
export function addToolbarItems(
  toolbars: IToolbarWidgetRegistry,
  services: IServices
): void {
  const items: [string, (props: Props) => React.JSX.Element][] = [
    ['pipeline-run', RunButton],
    ['pipeline-schedule', ScheduleButton],
    ['pipeline-state', StateButton]
  ];
  for (const [name, Item] of items) {
    toolbars.addFactory<NotebookPanel>('Notebook', name, (panel): Widget => {
      const widget = ReactWidget.create(<Item {...services} panel={panel} />);
      widget.addClass('jp-Pipelines-toolItem');
      return widget;
    });
  }
}
