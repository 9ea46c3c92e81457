/** Pages, and where they are shown. Apart from the other modules here: plugins are loaded long before React is wanted. */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { MainAreaWidget } from '@jupyterlab/apputils';
import { PageConfig, URLExt } from '@jupyterlab/coreutils';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { CommandRegistry } from '@lumino/commands';
import { SplitPanel, TabPanel, type Widget } from '@lumino/widgets';
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

/** Notebook 7 gives each document a tab of the browser, and its files another; JupyterLab has all in one. */
export function isNotebook7(): boolean {
  return PageConfig.getOption('notebookPage') !== '';
}

/** Show the files to choose from. */
export function showFiles(commands: CommandRegistry, base: string): void {
  if (isNotebook7()) {
    window.open(URLExt.join(base, 'tree'), '_blank');
  } else {
    void commands.execute('filebrowser:activate');
  }
}

/** What is under the document gets half of the height: less shows no more of a page than its head. */
function halve(page: Widget): void {
  let inner = page;
  while (inner.parent && !(inner.parent instanceof SplitPanel)) {
    inner = inner.parent;
  }
  const { parent } = inner;
  if (parent instanceof SplitPanel && parent.orientation === 'vertical') {
    parent.setRelativeSizes([1, 1]);
  }
}

/**
 * Show a page, which is put into the application where it is not yet.
 *
 * That is JupyterLab's main area. Notebook 7's has room for one widget: either the tabs of files and running kernels,
 * where pages are tabs, too; or a document, and pages are under it.
 */
export function showPage(
  shell: JupyterFrontEnd.IShell,
  page: Widget,
  options?: DocumentRegistry.IOpenOptions
): void {
  const isNew = !page.isAttached;
  const alone = isNotebook7();
  const main = shell.currentWidget;
  if (isNew && alone && main instanceof TabPanel) {
    main.addWidget(page);
  } else if (isNew) {
    shell.add(page, alone ? 'down' : 'main', options);
  }
  const tabs = page.parent?.parent;
  if (alone && tabs instanceof TabPanel) {
    const wasHidden = tabs.isHidden;
    tabs.currentWidget = page;
    tabs.show();
    if (wasHidden) {
      halve(tabs);
    }
    page.activate();
  } else {
    shell.activateById(page.id);
  }
}
