/** What starts the pipeline: schedules and triggers. */
import * as React from 'react';
import { Section } from '../../ui';
import type { ISectionProps } from '../panel/context';

export function Schedules(props: ISectionProps): React.JSX.Element {
  return (
    <Section title={props.trans.__('Schedules')} name="schedules">
      <p className="jp-Pipelines-hint" />
    </Section>
  );
}
