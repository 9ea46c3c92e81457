/** The parameters of the next run by hand. */
import * as React from 'react';
import { CommandIDs } from '../../tokens';
import { Button, LinkButton, Section, useSignals } from '../../ui';
import type { ISectionProps } from '../panel/context';
import { ParameterFields } from './fields';
import { fieldOf } from './model';

const FIELD = 'parameters.';

export function Parameters(props: ISectionProps): React.JSX.Element | null {
  const { pipeline, notebook, values, running, commands, trans } = props;
  useSignals(values.changed, running.changed);
  const { parameters } = pipeline;
  const path = notebook.notebook;
  const given = values.of(path);
  const changed = parameters.filter(({ name }) => name in given).length;
  const { error, doing } = running.of(path);
  // Only what the server refused: what is wrong already here is said at its field.
  const refused =
    error?.field.startsWith(FIELD) && error.status > 0
      ? { [error.field.slice(FIELD.length)]: error.message }
      : {};
  if (parameters.length === 0) {
    return null;
  }
  return (
    <Section
      title={trans.__('Parameters')}
      name="parameters"
      count={parameters.length}
      summary={changed > 0 ? trans._n('%1 changed', '%1 changed', changed) : ''}
    >
      <ParameterFields
        parameters={parameters}
        given={given}
        refused={refused}
        trans={trans}
        onChange={(name, next) => {
          const parameter = parameters.find(one => one.name === name);
          const secret = parameter && fieldOf(parameter).kind === 'secret';
          values.give(path, name, next, secret);
          running.clear(path);
        }}
      />
      {changed > 0 && (
        <div className="jp-Pipelines-parameterActions">
          <Button
            disabled={doing !== null}
            onClick={() => {
              void commands.execute(CommandIDs.run, { path });
            }}
          >
            {trans.__('Run with these')}
          </Button>
          <LinkButton
            onClick={() => {
              values.reset(path);
              running.clear(path);
            }}
          >
            {trans.__('Reset all')}
          </LinkButton>
        </div>
      )}
    </Section>
  );
}
