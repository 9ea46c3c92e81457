/** What went wrong, why, and what to do about it. */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { asApiError } from '../api';
import type { ILive } from '../tokens';
import { LinkButton } from './buttons';
import { relative } from './time';

/** A message in which `names` are set as code. */
export function Message(props: { text: string }): React.JSX.Element {
  return (
    <>
      {props.text
        .split(/`([^`]+)`/)
        .map((part, index) =>
          index % 2 === 1 ? <code key={index}>{part}</code> : part
        )}
    </>
  );
}

/** A box of one tone; an error is read out at once, the rest when the reader comes to it. */
export function Notice(props: {
  tone?: 'error' | 'warning' | 'info';
  children: React.ReactNode;
}): React.JSX.Element {
  const { tone = 'info', children } = props;
  return (
    <div
      className="jp-Pipelines-notice"
      data-tone={tone}
      role={tone === 'error' ? 'alert' : 'status'}
    >
      {children}
    </div>
  );
}

/** An error as the user should see it: what is wrong, and what to do. Nothing for `null`. */
export function ErrorNotice(props: {
  error: unknown;
  children?: React.ReactNode;
}): React.JSX.Element | null {
  if (props.error === null || props.error === undefined) {
    return null;
  }
  const { message, fix } = asApiError(props.error);
  return (
    <Notice tone="error">
      <p>
        <Message text={message} />
      </p>
      {fix && (
        <p className="jp-Pipelines-fix">
          <Message text={fix} />
        </p>
      )}
      {props.children}
    </Notice>
  );
}

/** Where a value of the server's could not be had: why, how old what is shown is, and a way to try again. */
export function StaleNotice(props: {
  live: ILive<unknown>;
  trans: TranslationBundle;
}): React.JSX.Element | null {
  const { live, trans } = props;
  if (!live.error) {
    return null;
  }
  return (
    <ErrorNotice error={live.error}>
      {live.asOf && (
        <p className="jp-Pipelines-hint">
          {trans.__('What you see was so %1.', relative(live.asOf))}
        </p>
      )}
      <LinkButton
        onClick={() => {
          void live.refresh();
        }}
      >
        {trans.__('Try again')}
      </LinkButton>
    </ErrorNotice>
  );
}
