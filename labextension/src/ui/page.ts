/** Tabs of the main area. Apart from the other modules here: plugins are loaded long before React is wanted. */
import { MainAreaWidget } from '@jupyterlab/apputils';
import type { Widget } from '@lumino/widgets';
import { pipelineIcon } from '../icons';

export function pageOf<T extends Widget>(
  content: T,
  id: string,
  label: string
): MainAreaWidget<T> {
  const page = new MainAreaWidget({ content });
  page.id = id;
  page.title.label = label;
  page.title.icon = pipelineIcon;
  page.title.closable = true;
  // Nothing is in it, and it would be seen as a bar.
  page.toolbar.hide();
  return page;
}
