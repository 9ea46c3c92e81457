/** Buttons of one look. All other attributes are those of a `button`. */
import type { LabIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

type Attributes = Omit<
  React.ButtonHTMLAttributes<HTMLButtonElement>,
  'className' | 'type'
>;

/** A button with words. `primary` for the one thing that is most likely wanted; `danger` for what cannot be undone. */
export function Button(
  props: Attributes & {
    kind?: 'primary' | 'plain' | 'danger';
    icon?: LabIcon;
    submit?: boolean;
  }
): React.JSX.Element {
  const { kind = 'plain', icon, submit, children, ...rest } = props;
  return (
    <button
      type={submit ? 'submit' : 'button'}
      className={`jp-Pipelines-button jp-mod-${kind}`}
      {...rest}
    >
      {icon && <icon.react tag="span" />}
      {children}
    </button>
  );
}

/** A button that is only an icon; its label is for screen readers and the pointer. */
export function IconButton(
  props: Attributes & { icon: LabIcon; label: string }
): React.JSX.Element {
  const { icon, label, ...rest } = props;
  return (
    <button
      type="button"
      className="jp-Pipelines-iconButton"
      aria-label={label}
      title={label}
      {...rest}
    >
      <icon.react tag="span" />
    </button>
  );
}

/** A button that reads as a link. */
export function LinkButton(props: Attributes): React.JSX.Element {
  return <button type="button" className="jp-Pipelines-link" {...props} />;
}
