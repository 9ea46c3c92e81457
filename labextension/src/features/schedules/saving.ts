/** Carrying out what was written: the notebook is saved and published where that is needed. */
import { type Api, ApiError, type ISchedule, type ITrigger } from '../../api';
import type { ICompiler, INotebookRecords } from '../../tokens';
import type { IParameter } from '../../api';
import {
  type IDraft,
  isTrigger,
  scheduleRequest,
  triggerRequest
} from './model';

export interface ISaved {
  id: string;
  schedule: ISchedule | null;
  trigger: (ITrigger & { token?: string }) | null;
}

/** Save the open notebook's edits: what runs is read from its file. */
async function saveNotebook(compiler: ICompiler, path: string): Promise<void> {
  const context = compiler.current.notebook?.context;
  if (context?.localPath === path && context.model.dirty) {
    await context.save();
  }
}

/** Does saving publish the notebook first? */
export function publishes(draft: IDraft, notebook: INotebookRecords): boolean {
  return draft.source === 'published' && notebook.versions.value?.length === 0;
}

export async function saveDraft(
  draft: IDraft,
  given: {
    api: Api;
    compiler: ICompiler;
    notebook: INotebookRecords;
    parameters: readonly IParameter[];
  }
): Promise<ISaved> {
  const { api, compiler, notebook, parameters } = given;
  const path = notebook.notebook;
  if (draft.source !== 'version' && draft.source !== 'ref') {
    await saveNotebook(compiler, path);
  }
  if (draft.source === 'published') {
    const versions = await api.versions(path);
    if (versions.length === 0) {
      await api.publish(path, '');
      void notebook.versions.refresh();
    }
  }
  if (isTrigger(draft)) {
    const asked = triggerRequest(path, draft, parameters);
    const trigger = await (draft.editing
      ? api.changeTrigger(draft.editing, asked)
      : api.addTrigger(asked, draft.key));
    await notebook.triggers.refresh();
    return { id: trigger.id, schedule: null, trigger };
  }
  const asked = scheduleRequest(path, draft, parameters);
  if (!asked) {
    throw new ApiError('It is not said yet when it runs.');
  }
  const schedule = await (draft.editing
    ? api.changeSchedule(draft.editing, asked)
    : api.addSchedule(asked, draft.key));
  await notebook.schedules.refresh();
  return { id: schedule.id, schedule, trigger: null };
}
