import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IRecords, ISettings } from '../../tokens';
import { Settings } from './model';

/** Provides what the user set for all notebooks; declared in `schema/settings.json`. */
export const settingsPlugin: JupyterFrontEndPlugin<ISettings> = {
  id: 'jupyter-pipelines:settings',
  description: 'What is set for the pipelines of all notebooks.',
  autoStart: true,
  requires: [IRecords],
  optional: [ISettingRegistry],
  provides: ISettings,
  activate: (
    _: JupyterFrontEnd,
    records: IRecords,
    registry: ISettingRegistry | null
  ) =>
    new Settings(registry?.load(settingsPlugin.id) ?? null, async limits => {
      // The limit on size is not among the settings: it stays.
      const { keep_size } = await records.api.retention();
      await records.api.setRetention({ keep_size, ...limits });
    })
};
