/** What the open notebook has that its published version has not. */
import type * as React from 'react';
import type { ISectionProps } from '../panel/context';

export function PublishBar(props: ISectionProps): React.JSX.Element | null {
  return props.pipeline.steps.length > 0 ? null : null;
}
