/** The last runs of the pipeline, as they go on. */
import * as React from 'react';
import { Section } from '../../ui';
import type { ISectionProps } from '../panel/context';

export function Runs(props: ISectionProps): React.JSX.Element {
  return (
    <Section title={props.trans.__('Runs')} name="runs">
      <p className="jp-Pipelines-hint" />
    </Section>
  );
}
