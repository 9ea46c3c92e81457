import { describe, expect, it } from 'vitest';
import { Typeahead } from './typeahead';

function press(...keys: string[]): boolean[] {
  return keys.map(
    key => !document.body.dispatchEvent(keydown({ key, cancelable: true }))
  );
}

function keydown(init: KeyboardEventInit): KeyboardEvent {
  return new KeyboardEvent('keydown', { bubbles: true, ...init });
}

describe('Typeahead', () => {
  it('keeps what is typed from everybody else until it is taken', () => {
    const heard: string[] = [];
    const hear = (event: KeyboardEvent): void => {
      heard.push(event.key);
    };
    document.addEventListener('keydown', hear, true);
    const ahead = new Typeahead();
    expect(
      press('Shift', 'x', 'd', 'e', 'Backspace', 'd', 'Enter', 'y')
    ).toEqual([false, true, true, true, true, true, true, true]);
    document.body.dispatchEvent(keydown({ key: 's', ctrlKey: true }));
    expect(heard).toEqual(['Shift', 's']);
    expect(ahead.take()).toEqual({
      text: 'xdd',
      selected: false,
      end: 'Enter'
    });
    expect(press('z')).toEqual([false]);
    expect(heard.at(-1)).toBe('z');
    document.removeEventListener('keydown', hear, true);
  });

  it('selects what was typed, and not the cells', () => {
    const ahead = new Typeahead();
    press('x', 'y');
    const selectAll = { key: 'a', ctrlKey: true, cancelable: true };
    expect(document.body.dispatchEvent(keydown(selectAll))).toBe(false);
    press('l', 'o');
    document.body.dispatchEvent(keydown(selectAll));
    expect(ahead.take()).toEqual({ text: 'lo', selected: true, end: null });
  });
});
