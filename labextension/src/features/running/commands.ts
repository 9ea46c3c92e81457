/** The commands about runs of the open notebook, or of the one that is named by `path`. */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import type { INotebookTracker } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import {
  CommandIDs,
  type ICompiler,
  type IPart,
  type IRecords,
  type IRunning
} from '../../tokens';
import { stepOfCell } from '../panel/model';
import { canResume, goesOn } from './model';

export interface IServices {
  app: JupyterFrontEnd;
  tracker: INotebookTracker;
  compiler: ICompiler;
  records: IRecords;
  running: IRunning;
  trans: TranslationBundle;
}

const PATH = {
  type: 'string',
  description: 'The notebook; the open one when it is missing'
} as const;

/** The notebook a command is about; empty for none. */
function notebookOf(
  { tracker }: IServices,
  args: ReadonlyPartialJSONObject
): string {
  return typeof args.path === 'string'
    ? args.path
    : (tracker.currentWidget?.context.localPath ?? '');
}

/** The step that the active cell belongs to. */
function activeStep({ compiler }: IServices): string {
  const { pipeline, activeCell } = compiler.current;
  return pipeline ? stepOfCell(pipeline, activeCell) : '';
}

/** What went wrong is shown in the panel, where it can be put right; else where it cannot be missed. */
function showProblem(services: IServices, notebook: string): void {
  const { app, running, tracker } = services;
  const { error } = running.of(notebook);
  if (!error) {
    return;
  }
  if (tracker.currentWidget?.context.localPath === notebook) {
    void app.commands.execute(CommandIDs.showPanel, {
      section: error.field.startsWith('parameters') ? 'parameters' : ''
    });
  } else {
    Notification.error(`${error.message} ${error.fix}`.trim());
    running.clear(notebook);
  }
}

function addPartCommands(services: IServices): string[] {
  const { app, running, trans } = services;
  type Words = (step: string) => string;
  const parts: [string, (step: string) => IPart, Words, string, string][] = [
    [
      CommandIDs.runFrom,
      step => ({ from_step: step }),
      step => trans.__('Run from Step %1 On', step),
      trans.__('Run from This Step On'),
      trans.__('Run this step and all that depend on it')
    ],
    [
      CommandIDs.runUntil,
      step => ({ until: step }),
      step => trans.__('Run until Step %1', step),
      trans.__('Run until This Step'),
      trans.__('Run this step and all that it needs')
    ],
    [
      CommandIDs.runOnly,
      step => ({ only: step }),
      step => trans.__('Run Only Step %1', step),
      trans.__('Run Only This Step'),
      trans.__('Run this step alone, with the values of earlier runs')
    ]
  ];
  for (const [id, part, named, plain, caption] of parts) {
    const stepOf = (args: ReadonlyPartialJSONObject): string =>
      typeof args.step === 'string' ? args.step : activeStep(services);
    app.commands.addCommand(id, {
      label: args => {
        const step = stepOf(args);
        return step && args.isPalette !== true ? named(step) : plain;
      },
      caption,
      isEnabled: args => stepOf(args) !== '',
      describedBy: {
        args: {
          type: 'object',
          properties: {
            path: PATH,
            step: {
              type: 'string',
              description:
                'The step; that of the active cell when it is missing'
            }
          }
        }
      },
      execute: async args => {
        const notebook = notebookOf(services, args);
        const step = stepOf(args);
        if (notebook && step) {
          await running.run(notebook, part(step));
          showProblem(services, notebook);
        }
      }
    });
  }
  return parts.map(([id]) => id);
}

/** Add all of them; their names are returned. */
export function addRunCommands(services: IServices): string[] {
  const { app, records, running, trans } = services;
  const { commands } = app;
  const describedBy = {
    args: { type: 'object' as const, properties: { path: PATH } }
  };
  const isEnabled = (args: ReadonlyPartialJSONObject): boolean =>
    notebookOf(services, args) !== '';
  const act = (
    work: (notebook: string) => Promise<unknown>
  ): ((args: ReadonlyPartialJSONObject) => Promise<void>) => {
    return async args => {
      const notebook = notebookOf(services, args);
      if (notebook) {
        await work(notebook);
        showProblem(services, notebook);
      }
    };
  };
  const recent = (args: ReadonlyPartialJSONObject) =>
    records.of(notebookOf(services, args)).runs.value;

  commands.addCommand(CommandIDs.run, {
    label: trans.__('Run Pipeline'),
    caption: trans.__(
      'Save the notebook and run it as a pipeline, in kernels of its own'
    ),
    isEnabled,
    describedBy,
    execute: act(notebook => running.run(notebook))
  });
  commands.addCommand(CommandIDs.runWithParameters, {
    label: trans.__('Run with Parameters…'),
    caption: trans.__('Fill in the parameters of the next run'),
    isEnabled: () =>
      (services.compiler.current.pipeline?.parameters.length ?? 0) > 0,
    describedBy: { args: { type: 'object', properties: {} } },
    execute: () =>
      commands.execute(CommandIDs.showPanel, { section: 'parameters' })
  });
  const parts = addPartCommands(services);
  commands.addCommand(CommandIDs.resume, {
    label: trans.__('Resume the Last Run'),
    caption: trans.__('What succeeded is taken over, the rest runs'),
    isEnabled: args => {
      const last = isEnabled(args) ? recent(args)?.[0] : undefined;
      return last === undefined ? isEnabled(args) : canResume(last);
    },
    describedBy,
    execute: act(notebook => running.resume(notebook))
  });
  commands.addCommand(CommandIDs.cancel, {
    label: trans.__('Cancel the Run'),
    isEnabled: args => isEnabled(args) && (recent(args)?.some(goesOn) ?? true),
    describedBy,
    execute: act(notebook => running.cancel(notebook))
  });
  commands.addCommand(CommandIDs.verify, {
    label: trans.__('Verify against Restart & Run All'),
    caption: trans.__(
      'Compare what the pipeline gives with what running the whole notebook gives'
    ),
    isEnabled,
    describedBy,
    execute: act(notebook => running.verify(notebook))
  });
  commands.addCommand(CommandIDs.pause, {
    label: args =>
      args.paused === false
        ? trans.__('Let Schedules Run Again')
        : trans.__('Pause All Schedules'),
    caption: trans.__('Schedules and triggers of this notebook start no runs'),
    isEnabled,
    describedBy: {
      args: {
        type: 'object',
        properties: { path: PATH, paused: { type: 'boolean' } }
      }
    },
    execute: async args => {
      await act(notebook => running.pause(notebook, args.paused !== false))(
        args
      );
    }
  });
  return [
    CommandIDs.run,
    CommandIDs.runWithParameters,
    ...parts,
    CommandIDs.resume,
    CommandIDs.cancel,
    CommandIDs.verify,
    CommandIDs.pause
  ];
}
