import * as React from 'react';

/**
 * One stop of the Tab key for a whole list; arrow keys, Home and End lead through it. To be spread on the list.
 *
 * What is in it sets its own `tabIndex`: 0 for where Tab leads, -1 for the others.
 */
export function useRovingFocus(selector: string): {
  onKeyDown: (event: React.KeyboardEvent) => void;
} {
  const onKeyDown = React.useCallback(
    (event: React.KeyboardEvent) => {
      const items = Array.from(
        event.currentTarget.querySelectorAll<HTMLElement | SVGElement>(selector)
      );
      const current = items.findIndex(item => item === document.activeElement);
      const steps: Record<string, number> = {
        ArrowDown: current + 1,
        ArrowRight: current + 1,
        ArrowUp: current - 1,
        ArrowLeft: current - 1,
        Home: 0,
        End: items.length - 1
      };
      const next = steps[event.key];
      if (current >= 0 && next !== undefined) {
        event.preventDefault();
        items[Math.min(Math.max(next, 0), items.length - 1)]?.focus();
      }
    },
    [selector]
  );
  return { onKeyDown };
}
