import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import type { ISessionContext } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ISettings } from '../../tokens';
import { loadMagics } from './model';

/** `%pipeline` without `%load_ext`, where the user has set it; nothing of the user's own configuration is touched. */
export const magicsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-pipelines:magics',
  description:
    'Loads the magics into the kernels of notebooks, if that is set.',
  autoStart: true,
  requires: [INotebookTracker, ISettings],
  activate: (
    _: JupyterFrontEnd,
    tracker: INotebookTracker,
    settings: ISettings
  ) => {
    const load = (session: ISessionContext): void => {
      loadMagics(session, () => settings.value.magics).catch(
        // A kernel that goes away meanwhile needs no magics.
        () => undefined
      );
    };
    tracker.widgetAdded.connect((_sender, { sessionContext }) => {
      load(sessionContext);
      sessionContext.kernelChanged.connect(load);
      sessionContext.statusChanged.connect((session, status) => {
        if (status === 'restarting' || status === 'autorestarting') {
          load(session);
        }
      });
    });
  }
};
