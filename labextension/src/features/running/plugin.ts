import {
  ILabShell,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import {
  ICommandPalette,
  IToolbarWidgetRegistry,
  Notification
} from '@jupyterlab/apputils';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import type { Contents } from '@jupyterlab/services';
import {
  ITranslator,
  nullTranslator,
  type TranslationBundle
} from '@jupyterlab/translation';
import { ApiError } from '../../api';
import {
  CommandIDs,
  ICompiler,
  IParameterValues,
  IRecords,
  IRunning
} from '../../tokens';
import { addRunCommands } from './commands';
import { Running } from './model';
import { addToolbarItems } from './toolbar';

function isDirty(panel: NotebookPanel | undefined): boolean {
  return panel?.context.model.dirty ?? false;
}

/** Show an open notebook without changes as it is on disk, where something else has changed it. */
async function follow(
  panel: NotebookPanel,
  contents: Contents.IManager
): Promise<void> {
  const { context } = panel;
  const found = await contents
    .get(context.path, { content: false })
    .catch(() => null);
  const known = context.contentsModel?.last_modified;
  if (found && known && Date.parse(found.last_modified) > Date.parse(known)) {
    await context.revert();
  }
}

/** Have what runs be what is seen: save an open notebook that has changes, and say so. */
async function save(
  panel: NotebookPanel | undefined,
  contents: Contents.IManager,
  trans: TranslationBundle
): Promise<void> {
  const context = panel?.context;
  if (!context || context.model.readOnly) {
    return;
  }
  if (!isDirty(panel)) {
    await follow(panel, contents);
    return;
  }
  const name = context.localPath.split('/').pop() ?? '';
  const unsaved = new ApiError(
    trans.__('%1 could not be saved, so nothing was run.', name),
    trans.__('Save it, then run it.')
  );
  try {
    await context.save();
  } catch {
    throw unsaved;
  }
  // Who was asked whether to overwrite may have said no.
  if (isDirty(panel)) {
    throw unsaved;
  }
  Notification.info(trans.__('Saved %1 to run it.', name), { autoClose: 2500 });
}

/** Running notebooks: commands, and the notebook's toolbar. Menus and shortcuts are declared in `schema/running.json`. */
export const runningPlugin: JupyterFrontEndPlugin<IRunning> = {
  id: 'jupyter-pipelines:running',
  description: 'Runs the notebook as a pipeline.',
  autoStart: true,
  requires: [INotebookTracker, ICompiler, IRecords, IParameterValues],
  optional: [ICommandPalette, IToolbarWidgetRegistry, ILabShell, ITranslator],
  provides: IRunning,
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker,
    compiler: ICompiler,
    records: IRecords,
    values: IParameterValues,
    palette: ICommandPalette | null,
    toolbars: IToolbarWidgetRegistry | null,
    _: ILabShell | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('jupyter_pipelines');
    const running = new Running({
      records,
      values,
      parameters: path => {
        const { notebook, pipeline } = compiler.current;
        return notebook?.context.localPath === path
          ? (pipeline?.parameters ?? null)
          : null;
      },
      save: path =>
        save(
          tracker.find(panel => panel.context.localPath === path),
          app.serviceManager.contents,
          trans
        ),
      words: {
        nothingToResume: trans.__('There is no run to resume.'),
        runInstead: trans.__('Run the notebook.'),
        parameter: name => trans.__('The value of `%1` is not right.', name),
        correctIt: trans.__('Correct it or reset it.')
      }
    });
    const services = { app, tracker, compiler, records, running, trans };
    const commands = addRunCommands(services);
    for (const command of commands) {
      palette?.addItem({ command, category: trans.__('Pipeline') });
    }
    if (toolbars) {
      addToolbarItems(toolbars, services);
    }
    // What was filled in goes along when a notebook is renamed.
    tracker.widgetAdded.connect((_, panel) => {
      let path = panel.context.localPath;
      panel.context.pathChanged.connect(context => {
        values.move(path, context.localPath);
        path = context.localPath;
      });
    });
    app.commands.notifyCommandChanged(CommandIDs.run);
    return running;
  }
};
