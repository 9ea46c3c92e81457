/** What can be chosen while one types what a cell is. Pure. */
import type { ITagged, Role } from './model';
import { asStepName, isStepName } from './names';

export type Choice =
  | { kind: 'new' | 'step'; name: string }
  | { kind: 'rename'; name: string; from: string }
  | { kind: 'role'; role: Exclude<Role, 'step'> }
  | { kind: 'none' };

export interface ITagging {
  /** What is tagged now; `null` for nothing, or for different things. */
  current: ITagged | null;
  /** The steps there are, in the notebook's order. */
  steps: readonly string[];
  /** May the step of the cell be called something else wherever it is named? */
  canRename: boolean;
  /** Is the cell the only one that names its step? */
  alone: boolean;
}

const ROLES = ['setup', 'parameters', 'skip'] as const;

/** Is this the word of a role, and not a step's name? */
export function isRoleWord(text: string): boolean {
  return ROLES.some(role => role === text.trim().toLowerCase());
}

/** The choices for a text, the most likely first; all of them while nothing has been typed. */
export function choicesFor(
  text: string,
  typed: boolean,
  { current, steps, canRename, alone }: ITagging
): Choice[] {
  const sought = typed ? text.trim().toLowerCase() : '';
  const own = current?.role === 'step' ? current.name : '';
  const choices: Choice[] = [];
  const name = asStepName(text);
  const exact = ROLES.find(role => role === sought);
  if (exact) {
    choices.push({ kind: 'role', role: exact });
  } else if (steps.includes(name)) {
    choices.push({ kind: 'step', name });
  } else if (isStepName(name)) {
    if (own && canRename) {
      choices.push({ kind: 'rename', name, from: own });
    }
    if (!own || !canRename || !alone) {
      choices.push({ kind: 'new', name });
    }
  }
  for (const step of steps) {
    if (step !== name && step.toLowerCase().includes(sought)) {
      choices.push({ kind: 'step', name: step });
    }
  }
  for (const role of ROLES) {
    if (role !== exact && role.startsWith(sought)) {
      choices.push({ kind: 'role', role });
    }
  }
  if (current && sought === '') {
    choices.push({ kind: 'none' });
  }
  return choices;
}

/** The name that Tab completes a text to; the text itself when nothing begins like it. */
export function completed(text: string, steps: readonly string[]): string {
  const sought = text.trim().toLowerCase();
  return (
    steps.find(step => step.toLowerCase().startsWith(sought)) ?? text.trim()
  );
}
