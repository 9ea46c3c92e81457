/** What every part of the panel is given. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import type { IPipeline } from '../../api';
import type {
  ICompiler,
  IDrifts,
  ILiveValues,
  INotebookRecords,
  IParameterValues,
  IRecords,
  IRunning,
  ISettings
} from '../../tokens';
import type { ScheduleDrafts } from '../schedules/drafts';

export interface IPanelContext {
  compiler: ICompiler;
  records: IRecords;
  drifts: IDrifts;
  drafts: ScheduleDrafts;
  values: IParameterValues;
  running: IRunning;
  liveValues: ILiveValues;
  settings: ISettings;
  commands: CommandRegistry;
  trans: TranslationBundle;
}

/** For what is about the open notebook, and what is on record of it. */
export interface INotebookProps extends IPanelContext {
  notebook: INotebookRecords;
}

/** What a section of the panel is about. */
export interface ISectionProps extends INotebookProps {
  /** The last good compilation. */
  pipeline: IPipeline;
}
