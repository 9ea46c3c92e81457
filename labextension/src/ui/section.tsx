/** A part of the panel that can be closed. */
import * as React from 'react';

export function Section(props: {
  title: string;
  /** How many things are in it; left out when that says nothing. */
  count?: number;
  /** What is in it in a few words, for who does not open it. */
  summary?: string;
  /** Closed at first. */
  collapsed?: boolean;
  /** Told when it is opened or closed. */
  onToggle?: (open: boolean) => void;
  /** Buttons at the end of the heading's line. */
  actions?: React.ReactNode;
  /** A name for tests and styles. */
  name?: string;
  children: React.ReactNode;
}): React.JSX.Element {
  const { title, count, summary, collapsed, actions, name, children } = props;
  const { onToggle } = props;
  return (
    <section
      className="jp-Pipelines-sectionFrame"
      aria-label={title}
      data-section={name}
    >
      <details
        className="jp-Pipelines-section"
        open={!collapsed}
        onToggle={event => {
          onToggle?.(event.currentTarget.open);
        }}
      >
        <summary>
          <h3>{title}</h3>
          {count !== undefined && (
            <span className="jp-Pipelines-count">{count}</span>
          )}
          {summary && (
            <span className="jp-Pipelines-count jp-mod-summary" title={summary}>
              {summary}
            </span>
          )}
        </summary>
        {children}
      </details>
      {actions && <div className="jp-Pipelines-sectionActions">{actions}</div>}
    </section>
  );
}
