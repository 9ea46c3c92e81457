/** What becomes of a step that fails or takes long: options in the notebook itself. */
import type { INotebookModel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { Field, Part, useSignals } from '../../ui';
import { change } from '../cells/model';
import { optionOf, type OptionName, withOption, writtenOption } from './model';

const KEY = 'pipeline';

/** Change an option of the notebook, for all who have it open; it can be undone as a tag can. */
export function writeOption(
  model: INotebookModel,
  name: OptionName,
  text: string
): void {
  const options = withOption(
    model.getMetadata(KEY),
    name,
    optionOf(name, text)
  );
  change(model, () => {
    if (options) {
      model.setMetadata(KEY, options);
    } else {
      model.deleteMetadata(KEY);
    }
  });
}

function Option(props: {
  model: INotebookModel;
  name: OptionName;
  label: string;
  hint: string;
  placeholder: string;
  problem: string;
}): React.JSX.Element {
  const { model, name, label, hint, placeholder, problem } = props;
  const written = writtenOption(model.getMetadata(KEY), name);
  const [text, setText] = React.useState(written);
  React.useEffect(() => {
    setText(written);
  }, [written]);
  const wrong = optionOf(name, text) === null;
  const take = (): void => {
    if (!wrong && text.trim() !== written) {
      writeOption(model, name, text);
    }
  };
  return (
    <Field label={label} hint={hint} problem={wrong ? problem : ''}>
      {field => (
        <input
          {...field}
          type="text"
          className="jp-Pipelines-input"
          placeholder={placeholder}
          value={text}
          onChange={event => {
            setText(event.target.value);
          }}
          onBlur={take}
          onKeyDown={event => {
            if (event.key === 'Enter') {
              take();
            } else if (event.key === 'Escape') {
              setText(written);
            }
          }}
        />
      )}
    </Field>
  );
}

/** What is set of them, in a few words. */
export function retriesInWords(
  model: INotebookModel,
  trans: TranslationBundle
): string {
  const options: unknown = model.getMetadata(KEY);
  const retries = writtenOption(options, 'retries');
  const timeout = writtenOption(options, 'timeout');
  return [
    retries && retries !== '0' ? trans.__('retries %1', retries) : '',
    timeout ? trans.__('stopped after %1', timeout) : ''
  ]
    .filter(Boolean)
    .join(' · ');
}

export function Retries(props: {
  model: INotebookModel;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { model, trans } = props;
  useSignals(model.metadataChanged);
  const span = trans.__('Write a duration such as 10s, 5m or 1h30m.');
  const options: [OptionName, string, string, string, string][] = [
    [
      'retries',
      trans.__('Retries of a step that fails'),
      '',
      '0',
      trans.__('Write a whole number from 0 to 1000.')
    ],
    ['retry_delay', trans.__('Wait before a retry'), '', '0s', span],
    [
      'retry_backoff',
      trans.__('Each wait is so many times the last'),
      trans.__('With 2: 10 s, 20 s, 40 s.'),
      '1',
      trans.__('Write a number from 1.')
    ],
    ['step_timeout', trans.__('A step is stopped after'), '', '—', span],
    ['timeout', trans.__('A run is stopped after'), '', '—', span],
    [
      'max_parallel',
      trans.__('Steps at once, at most'),
      '',
      '—',
      trans.__('Write a whole number from 1.')
    ]
  ];
  return (
    <Part
      title={trans.__('Retries and time limits')}
      summary={retriesInWords(model, trans)}
    >
      {options.map(([name, label, hint, placeholder, problem]) => (
        <Option
          key={name}
          model={model}
          name={name}
          label={label}
          hint={hint}
          placeholder={placeholder}
          problem={problem}
        />
      ))}
      <p className="jp-Pipelines-hint">
        {trans.__(
          'Kept in the notebook, for all its steps; a step’s own options win.'
        )}
      </p>
    </Part>
  );
}
