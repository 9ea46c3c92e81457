import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { INotebookTracker } from '@jupyterlab/notebook';
import { VIEW, ViewRenderer } from './renderer';

/** Before the renderer of widgets, which has -10. */
const RANK = -20;

/** Has views of runs stay readable in notebooks without a kernel. */
export const viewsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-pipelines:views',
  description: 'Shows views of runs as widgets, or without a kernel as HTML.',
  autoStart: true,
  requires: [INotebookTracker],
  activate: (_: JupyterFrontEnd, tracker: INotebookTracker) => {
    tracker.widgetAdded.connect((_sender, { content, sessionContext }) => {
      const { rendermime } = content;
      rendermime.addFactory(
        {
          safe: false,
          mimeTypes: [VIEW],
          createRenderer: () => new ViewRenderer(sessionContext, rendermime)
        },
        RANK
      );
    });
  }
};
