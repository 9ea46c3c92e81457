/** Showing a cell to its author. */
import type { Notebook, NotebookPanel } from '@jupyterlab/notebook';

/** Cells around the one to be shown that are put on the page with it: about as many as are seen at once. */
const AROUND = 20;

/** A large notebook puts its cells on the page little by little, from above; these take their place before their turn. */
function attach(content: Notebook, index: number): void {
  const last = Math.min(index + AROUND, content.widgets.length - 1);
  for (let at = Math.max(0, index - AROUND); at <= last; at++) {
    content.renderCellOutputs(at);
  }
}

/** How often to wait for a cell; the notebook gives up after ten seconds each time. */
const PATIENCE = 6;

/** Scroll to a cell, make it the active one, and move the focus to it; with a line (1-based), to that line in it. */
export async function goToCell(
  panel: NotebookPanel,
  position: number,
  line: number
): Promise<void> {
  const { content } = panel;
  const cell = content.widgets[position - 1];
  if (!cell) {
    return;
  }
  content.deselectAll();
  content.activeCellIndex = position - 1;
  content.mode = 'command';
  if (!cell.isAttached) {
    attach(content, position - 1);
  }
  // Text cells wait for their turn: until then there is nothing to scroll to.
  for (let asked = 0; asked < PATIENCE; asked++) {
    await content.scrollToItem(position - 1, 'center').catch(() => undefined);
    if (cell.isAttached || content.activeCell !== cell) {
      break;
    }
  }
  if (content.activeCell !== cell) {
    return;
  }
  if (line > 0) {
    await cell.ready;
    const last = (cell.editor?.lineCount ?? 1) - 1;
    cell.editor?.setCursorPosition({
      line: Math.min(line - 1, last),
      column: 0
    });
    content.mode = 'edit';
  }
  content.activate();
}
