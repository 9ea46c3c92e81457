/** What every part of the panel is given. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import type { IPipeline } from '../../api';
import type {
  ICompiler,
  IDrifts,
  INotebookRecords,
  IRecords
} from '../../tokens';
import type { ScheduleDrafts } from '../schedules/drafts';

export interface IPanelContext {
  compiler: ICompiler;
  records: IRecords;
  drifts: IDrifts;
  drafts: ScheduleDrafts;
  commands: CommandRegistry;
  trans: TranslationBundle;
}

/** What a section of the panel is about: the open notebook, and what is on record of it. */
export interface ISectionProps extends IPanelContext {
  notebook: INotebookRecords;
  /** The last good compilation. */
  pipeline: IPipeline;
}
