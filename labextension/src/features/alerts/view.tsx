/** What happens when something goes wrong: retries, time limits, alerts. */
import * as React from 'react';
import { Section } from '../../ui';
import type { ISectionProps } from '../panel/context';

export function Reliability(props: ISectionProps): React.JSX.Element {
  return (
    <Section
      title={props.trans.__('Reliability and alerts')}
      name="reliability"
      collapsed
    >
      <p className="jp-Pipelines-hint" />
    </Section>
  );
}
