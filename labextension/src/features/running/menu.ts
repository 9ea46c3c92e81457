/** What else can be run than all: the menu beside each Run button. */
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyJSONObject } from '@lumino/coreutils';
import { Menu } from '@lumino/widgets';
import { CommandIDs } from '../../tokens';

/** Open it below a button; `path` names the notebook, the open one is meant without. */
export function openRunMenu(
  commands: CommandRegistry,
  button: HTMLElement,
  path?: string
): void {
  const menu = new Menu({ commands });
  const args: ReadonlyJSONObject = path === undefined ? {} : { path };
  const add = (...ids: string[]): void => {
    for (const command of ids.filter(id => commands.hasCommand(id))) {
      menu.addItem({ command, args });
    }
  };
  add(CommandIDs.run, CommandIDs.runWithParameters);
  menu.addItem({ type: 'separator' });
  add(CommandIDs.runFrom, CommandIDs.runUntil, CommandIDs.runOnly);
  menu.addItem({ type: 'separator' });
  add(CommandIDs.resume, CommandIDs.cancel);
  menu.addItem({ type: 'separator' });
  add(CommandIDs.verify, CommandIDs.publish, CommandIDs.schedule);
  menu.aboutToClose.connect(() => {
    button.setAttribute('aria-expanded', 'false');
    // The command that was chosen still needs the menu.
    window.setTimeout(() => {
      menu.dispose();
    });
  });
  button.setAttribute('aria-expanded', 'true');
  const { left, bottom } = button.getBoundingClientRect();
  menu.open(left, bottom);
}
