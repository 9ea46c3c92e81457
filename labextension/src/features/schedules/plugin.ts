import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IStateDB } from '@jupyterlab/statedb';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { CommandIDs, ICompiler, ISettings } from '../../tokens';
import { IScheduleDrafts, ScheduleDrafts } from './drafts';

/** The widget that schedules are written in. */
const PANEL = 'jupyter-pipelines-panel';

/** Keeps what is being written of schedules, and begins it. */
export const schedulesPlugin: JupyterFrontEndPlugin<ScheduleDrafts> = {
  id: 'jupyter-pipelines:schedules',
  description: 'Keeps what is being written of schedules until it is saved.',
  autoStart: true,
  provides: IScheduleDrafts,
  requires: [ICompiler],
  optional: [IStateDB, ISettings, ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    compiler: ICompiler,
    state: IStateDB | null,
    settings: ISettings | null,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('jupyter_pipelines');
    const drafts = new ScheduleDrafts(state, settings);
    void drafts.restore();
    app.commands.addCommand(CommandIDs.schedule, {
      label: trans.__('Schedule…'),
      caption: trans.__('Say when this notebook runs by itself'),
      isEnabled: args =>
        typeof args.path === 'string' || compiler.current.notebook !== null,
      describedBy: {
        args: {
          type: 'object',
          properties: {
            path: {
              type: 'string',
              description: 'The notebook; the open one unless given.'
            }
          }
        }
      },
      execute: async args => {
        const open = compiler.current.notebook?.context.localPath;
        const path = typeof args.path === 'string' ? args.path : open;
        if (path === undefined) {
          return;
        }
        if (path !== open) {
          const place = { path, schedule: true };
          await app.commands.execute(CommandIDs.openNotebook, place);
          return;
        }
        await drafts.restore();
        app.shell.activateById(PANEL);
        drafts.begin(path);
      }
    });
    palette?.addItem({
      command: CommandIDs.schedule,
      category: trans.__('Pipeline')
    });
    return drafts;
  }
};
