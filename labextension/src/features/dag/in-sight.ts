/** The part of a graph that one sees, where it is larger than its frame. */
import * as React from 'react';

/** Have the step that one works on in sight. */
export function useInSight(selected: string): React.RefObject<HTMLDivElement> {
  const frame = React.useRef<HTMLDivElement>(null);
  React.useEffect(() => {
    const box = frame.current?.querySelector('[aria-current="step"]');
    if (frame.current && box) {
      const outer = frame.current.getBoundingClientRect();
      const inner = box.getBoundingClientRect();
      // Not `scrollIntoView`: the panel is to stay where it is.
      if (inner.top < outer.top || inner.bottom > outer.bottom) {
        frame.current.scrollTop +=
          inner.top - outer.top - (outer.height - inner.height) / 2;
      }
      if (inner.left < outer.left || inner.right > outer.right) {
        frame.current.scrollLeft +=
          inner.left - outer.left - (outer.width - inner.width) / 2;
      }
    }
  }, [selected]);
  return frame;
}
