/** The plugins of this extension. Each feature is a folder under `features/`. */
import { cellsPlugin } from './features/cells/plugin';
import { compilationPlugin } from './features/compilation/plugin';
import { dagPlugin } from './features/dag/plugin';
import { livePlugin } from './features/live/plugin';
import { panelPlugin } from './features/panel/plugin';
import { schedulesPlugin } from './features/schedules/plugin';
import { versionsPlugin } from './features/versions/plugin';

export * from './tokens';
export default [
  livePlugin,
  compilationPlugin,
  cellsPlugin,
  dagPlugin,
  panelPlugin,
  schedulesPlugin,
  versionsPlugin
];
