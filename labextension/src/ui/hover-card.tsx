/** What is said of something small while the pointer or the focus is on it; it does not get into the pointer's way. */
import * as React from 'react';

const GAP = 6;

/** Where a card goes: below its anchor where there is room, otherwise above, and never out of the window. */
export function placeCard(
  anchor: { left: number; top: number; bottom: number; width: number },
  card: { width: number; height: number },
  view: { width: number; height: number }
): { left: number; top: number } {
  const below = anchor.bottom + GAP;
  const above = anchor.top - GAP - card.height;
  const fits = below + card.height <= view.height - GAP;
  const left = anchor.left + anchor.width / 2 - card.width / 2;
  return {
    left: Math.max(GAP, Math.min(left, view.width - card.width - GAP)),
    top: fits || above < GAP ? below : above
  };
}

export function HoverCard(props: {
  /** What it is about; `null` for none. */
  anchor: Element | null;
  id: string;
  children: React.ReactNode;
}): React.JSX.Element {
  const { anchor, id, children } = props;
  const card = React.useRef<HTMLDivElement>(null);
  React.useLayoutEffect(() => {
    const node = card.current;
    if (!node || !anchor?.isConnected) {
      return;
    }
    // In the top layer nothing cuts it off, whatever contains the panel. Where there is none, it is in the panel.
    node.setAttribute('popover', 'manual');
    if (
      typeof node.showPopover === 'function' &&
      !node.matches(':popover-open')
    ) {
      node.showPopover();
    }
    const { left, top } = placeCard(
      anchor.getBoundingClientRect(),
      node.getBoundingClientRect(),
      { width: window.innerWidth, height: window.innerHeight }
    );
    node.style.left = `${left}px`;
    node.style.top = `${top}px`;
  });
  React.useLayoutEffect(() => {
    const node = card.current;
    if (
      !anchor &&
      typeof node?.hidePopover === 'function' &&
      node.matches(':popover-open')
    ) {
      node.hidePopover();
    }
  }, [anchor]);
  return (
    <div
      ref={card}
      id={id}
      role="tooltip"
      className="jp-Pipelines-hoverCard"
      hidden={!anchor}
    >
      {anchor && children}
    </div>
  );
}
