/** All about one step of a run: what went wrong and where, when, values in and out, files. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import type { IOutput, IRun, IRunStep } from '../../api';
import { CommandIDs } from '../../tokens';
import { bytes, Button, Message, Notice, useAction } from '../../ui';
import { Facts, lengthText, When } from './about';

function Values(props: {
  title: string;
  values: readonly (IOutput & { producer?: string })[];
  trans: TranslationBundle;
}): React.JSX.Element | null {
  const { title, values, trans } = props;
  if (values.length === 0) {
    return null;
  }
  return (
    <section className="jp-Pipelines-runValues">
      <h5>{title}</h5>
      <ul>
        {values.map(value => (
          <li key={value.name}>
            <span className="jp-Pipelines-valueHead">
              <code>{value.name}</code>
              <span>{value.type}</span>
              <span>{bytes(value.size)}</span>
              {value.producer && (
                <span>{trans.__('from %1', value.producer)}</span>
              )}
            </span>
            {value.summary && (
              <code title={value.summary}>{value.summary}</code>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Why a step did not succeed, and the way to the cell. */
export function StepError(props: {
  run: IRun;
  step: IRunStep;
  commands: CommandRegistry;
  trans: TranslationBundle;
}): React.JSX.Element | null {
  const { run, step, commands, trans } = props;
  const action = useAction();
  if (!step.error) {
    return null;
  }
  const { error_cell: cell, error_first_line: line } = step;
  const { notebook } = run;
  return (
    <Notice tone={step.state === 'skipped' ? 'info' : 'error'}>
      <p className="jp-Pipelines-errorText">
        {step.error_kind === 'error' ? (
          step.error
        ) : (
          <Message text={step.error} />
        )}
      </p>
      {step.fix && (
        <p className="jp-Pipelines-fix">
          <Message text={step.fix} />
        </p>
      )}
      {cell !== null && (
        <div className="jp-Pipelines-errorPlace">
          <span>{trans.__('Cell %1', cell)}</span>
          {line && <code>{line}</code>}
          {notebook !== null && (
            <Button
              disabled={action.busy}
              onClick={() => {
                action.start(() =>
                  commands.execute(CommandIDs.openNotebook, {
                    path: notebook,
                    cell
                  })
                );
              }}
            >
              {trans.__('Go to the cell')}
            </Button>
          )}
        </div>
      )}
    </Notice>
  );
}

export function StepDetail(props: {
  step: IRunStep;
  now: Date;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { step, now, trans } = props;
  return (
    <>
      <Facts
        facts={[
          [trans.__('Began'), step.started ? <When time={step.started} /> : ''],
          [trans.__('Took'), lengthText(step, now)],
          [trans.__('Waits for'), step.waiting],
          [
            trans.__('Attempts'),
            step.attempts > 1 ? String(step.attempts) : ''
          ],
          [
            trans.__('Result of'),
            step.reused_from ? trans.__('an earlier run') : ''
          ],
          [
            trans.__('Wrote'),
            step.files_written.length > 0 ? step.files_written.join(', ') : ''
          ]
        ]}
      />
      <Values
        title={trans.__('Values in')}
        values={step.inputs ?? []}
        trans={trans}
      />
      <Values
        title={trans.__('Values out')}
        values={step.outputs}
        trans={trans}
      />
    </>
  );
}
