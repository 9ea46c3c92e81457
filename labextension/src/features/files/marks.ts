/** A mark on notebooks that run by themselves, in the file browser. */
import type { DirListing, IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import type { Contents } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ISchedule } from '../../api';
import { scheduleIcon } from '../../icons';
import type { IRecords } from '../../tokens';

const MARK = 'jp-Pipelines-fileMark';

/** What the active schedules of each notebook are, in words; by its path. */
export function activeSchedules(
  schedules: readonly ISchedule[]
): Map<string, string[]> {
  const words = new Map<string, string[]>();
  for (const { notebook, paused, words: own } of schedules) {
    if (notebook !== null && !paused) {
      words.set(notebook, [...(words.get(notebook) ?? []), own]);
    }
  }
  return words;
}

function mark(
  node: HTMLElement,
  words: readonly string[],
  trans: TranslationBundle
): void {
  let element = node.querySelector<HTMLElement>(`.${MARK}`);
  if (words.length === 0) {
    element?.remove();
    return;
  }
  if (!element) {
    element = document.createElement('span');
    element.className = MARK;
    element.setAttribute('role', 'img');
    scheduleIcon.element({ container: element });
    node.querySelector('.jp-DirListing-itemName')?.append(element);
  }
  const text = trans.__('Scheduled: %1', words.join('; '));
  element.title = text;
  element.setAttribute('aria-label', text);
}

/** Keep the marks as the schedules are. */
export function markScheduled(
  browser: IDefaultFileBrowser,
  records: IRecords,
  trans: TranslationBundle
): void {
  // The listing makes and recycles the nodes of its items; that is where they are told apart.
  const { listing } = browser as unknown as { listing: DirListing };
  const { renderer } = listing;
  let scheduled = new Map<string, string[]>();
  const update = renderer.updateItemNode.bind(renderer);
  renderer.updateItemNode = (
    node: HTMLElement,
    model: Contents.IModel,
    ...rest: [never?]
  ) => {
    update(node, model, ...rest);
    const path = model.path.replace(/^[^/:]+:/, '');
    mark(node, scheduled.get(path) ?? [], trans);
  };
  records.schedules.changed.connect(live => {
    scheduled = activeSchedules(live.value ?? []);
    listing.update();
  });
  records.schedules.use();
}
