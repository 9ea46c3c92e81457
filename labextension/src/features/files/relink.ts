/** A notebook that was moved: what is on record of it follows. */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { InputDialog, Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { asApiError } from '../../api';
import { CommandIDs, type IRecords } from '../../tokens';

async function askWhere(
  path: string,
  trans: TranslationBundle
): Promise<string | null> {
  const answer = await InputDialog.getText({
    title: trans.__('Where is %1 now?', path.split('/').pop()),
    label: trans.__('Its path, below the folder that JupyterLab shows'),
    text: path,
    okLabel: trans.__('Relink')
  });
  return answer.value;
}

export function addRelink(
  app: JupyterFrontEnd,
  records: IRecords,
  trans: TranslationBundle
): void {
  const relink = async (path: string, to: string): Promise<boolean> => {
    try {
      await records.api.relink(path, to);
    } catch (error) {
      const { message, fix } = asApiError(error);
      Notification.error(`${message} ${fix}`.trim());
      return false;
    }
    records.renew();
    Notification.success(
      trans.__('What was on record of %1 is now of %2.', path, to),
      { autoClose: 4000 }
    );
    return true;
  };
  app.commands.addCommand(CommandIDs.relink, {
    label: trans.__('Relink a Moved Notebook…'),
    caption: trans.__('Its runs, versions and schedules follow to where it is'),
    describedBy: {
      args: {
        type: 'object',
        required: ['path'],
        properties: {
          path: { type: 'string', description: 'Where the notebook was' },
          to: {
            type: 'string',
            description: 'Where it is; asked for when it is missing'
          }
        }
      }
    },
    execute: async args => {
      const path = typeof args.path === 'string' ? args.path : '';
      if (typeof args.to === 'string') {
        await relink(path, args.to);
        return;
      }
      let to = path && (await askWhere(path, trans));
      while (to && !(await relink(path, to))) {
        to = await askWhere(path, trans);
      }
    }
  });
}
