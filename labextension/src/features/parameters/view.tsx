/** The parameters of the pipeline. */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { IParameter } from '../../api';
import { Section } from '../../ui';

/** A default as the author would write it, as far as JSON tells. */
function literal(value: unknown): string {
  if (value === null || value === undefined) {
    return 'None';
  }
  if (typeof value === 'boolean') {
    return value ? 'True' : 'False';
  }
  return JSON.stringify(value);
}

export function Parameters(props: {
  parameters: readonly IParameter[];
  trans: TranslationBundle;
}): React.JSX.Element | null {
  const { parameters, trans } = props;
  if (parameters.length === 0) {
    return null;
  }
  return (
    <Section title={trans.__('Parameters')} count={parameters.length}>
      <dl className="jp-Pipelines-parameters">
        {parameters.map(parameter => (
          <React.Fragment key={parameter.name}>
            <dt>
              <code>{parameter.name}</code>
              <span className="jp-Pipelines-type">{parameter.annotation}</span>
            </dt>
            <dd>
              <code>{literal(parameter.default)}</code>
              {parameter.description && <p>{parameter.description}</p>}
            </dd>
          </React.Fragment>
        ))}
      </dl>
    </Section>
  );
}
