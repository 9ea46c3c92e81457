/** The plugins of this extension. Each feature is a folder under `features/`. */
import { backfillsPlugin } from './features/backfills/plugin';
import { cellsPlugin } from './features/cells/plugin';
import { compilationPlugin } from './features/compilation/plugin';
import { dagPlugin } from './features/dag/plugin';
import { filesPlugin } from './features/files/plugin';
import { livePlugin } from './features/live/plugin';
import { magicsPlugin } from './features/magics/plugin';
import { openingPlugin } from './features/opening/plugin';
import { panelPlugin } from './features/panel/plugin';
import { parametersPlugin } from './features/parameters/plugin';
import { pipelinesPlugin } from './features/pipelines/plugin';
import { runningPlugin } from './features/running/plugin';
import { runsPlugin } from './features/runs/plugin';
import { schedulesPlugin } from './features/schedules/plugin';
import { servicePlugin } from './features/service/plugin';
import { settingsPlugin } from './features/settings/plugin';
import { suggestionsPlugin } from './features/suggestions/plugin';
import { valuesPlugin } from './features/values/plugin';
import { versionsPlugin } from './features/versions/plugin';
import { viewsPlugin } from './features/views/plugin';
import { warehousePlugin } from './features/warehouse/plugin';

export * from './tokens';
export default [
  livePlugin,
  settingsPlugin,
  parametersPlugin,
  compilationPlugin,
  valuesPlugin,
  suggestionsPlugin,
  cellsPlugin,
  dagPlugin,
  runningPlugin,
  servicePlugin,
  panelPlugin,
  schedulesPlugin,
  filesPlugin,
  runsPlugin,
  pipelinesPlugin,
  backfillsPlugin,
  versionsPlugin,
  warehousePlugin,
  openingPlugin,
  magicsPlugin,
  viewsPlugin
];
