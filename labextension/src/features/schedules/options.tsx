/** The parts of the form that are needed now and then; each says in its line what is in it. */
import * as React from 'react';
import type { IParameter, IVersion, Missed, Overlap, Window } from '../../api';
import { Field, moment, Part, Select } from '../../ui';
import { type IDraft, isTrigger, kindsOf, type Source } from './model';
import type { IPartProps } from './when';

const OF_TIME = [
  '{{ interval_start.date() }}',
  '{{ interval_end.date() }}',
  '{{ scheduled_time.date() }}',
  "{{ scheduled_time.strftime('%Y-%m') }}"
];
const OF_CAUSE: Record<string, string[]> = {
  after: ['{{ upstream.id }}', '{{ upstream.executed_notebook }}'],
  file: ['{{ file }}', '{{ files }}'],
  update: ['{{ updated }}', '{{ upstream.id }}'],
  event: ['{{ event.payload }}', '{{ event.name }}'],
  token: []
};

function offeredFor(draft: IDraft): string[] {
  return isTrigger(draft)
    ? [
        ...(OF_CAUSE[draft.way === 'after' ? 'after' : draft.event] ?? []),
        '{{ triggered_at.date() }}'
      ]
    : OF_TIME.filter(each => draft.window || !each.includes('interval'));
}

/** A default as the author would write it, as far as JSON tells. */
function literal(value: unknown): string {
  return value === null || value === undefined
    ? 'None'
    : typeof value === 'string'
      ? value
      : JSON.stringify(value);
}

function ParameterField(
  props: IPartProps & { parameter: IParameter; offered: string }
): React.JSX.Element {
  const { draft, change, problemOf, trans, parameter, offered } = props;
  const { name } = parameter;
  const text = draft.parameters[name];
  const set = (value: string | undefined): void => {
    const others = Object.entries(draft.parameters).filter(
      ([each]) => each !== name
    );
    change({
      parameters: Object.fromEntries(
        value === undefined ? others : [...others, [name, value]]
      )
    });
  };
  const kinds = kindsOf(parameter);
  const choices =
    kinds.size === 1 && kinds.has('boolean')
      ? ['true', 'false']
      : (parameter.schema?.enum as unknown[] | undefined)?.map(literal);
  return (
    <Field
      label={parameter.annotation ? `${name}: ${parameter.annotation}` : name}
      problem={problemOf(`parameters.${name}`)}
      hint={parameter.description}
    >
      {field =>
        choices ? (
          <Select
            {...field}
            value={text ?? ''}
            choices={[
              ['', trans.__('as in the notebook')],
              ...choices.map((one): [string, string] => [one, one])
            ]}
            onChange={value => {
              set(value === '' ? undefined : value);
            }}
          />
        ) : (
          <input
            {...field}
            type="text"
            list={offered}
            className="jp-Pipelines-input jp-mod-code"
            spellCheck={false}
            autoComplete="off"
            placeholder={literal(parameter.default)}
            value={text ?? ''}
            onChange={event => {
              set(event.target.value === '' ? undefined : event.target.value);
            }}
          />
        )
      }
    </Field>
  );
}

/** The schedule's own parameters, and the period whose data each run works on. */
export function Parameters(
  props: IPartProps & { parameters: readonly IParameter[] }
): React.JSX.Element | null {
  const { draft, change, problemOf, trans, parameters } = props;
  const offered = React.useId();
  const trigger = isTrigger(draft);
  if (parameters.length === 0 && trigger) {
    return null;
  }
  const count = Object.keys(draft.parameters).length;
  const words = windowWords(props);
  return (
    <Part
      title={
        trigger ? trans.__('Parameters') : trans.__('Parameters, data window')
      }
      summary={[
        count > 0 ? trans._n('%1 set', '%1 set', count) : '',
        trigger ? '' : draft.window && words[draft.window]
      ]
        .filter(Boolean)
        .join(' · ')}
      wrong={
        problemOf('window') !== '' ||
        parameters.some(each => problemOf(`parameters.${each.name}`) !== '')
      }
    >
      {!trigger && (
        <Field
          label={trans.__('Each run works on')}
          problem={problemOf('window')}
          hint={
            draft.window &&
            trans.__(
              'Given to parameters called interval_start and interval_end, and to expressions.'
            )
          }
        >
          {field => (
            <Select
              {...field}
              value={draft.window}
              choices={Object.entries(words) as [Window | '', string][]}
              onChange={window => {
                change({ window });
              }}
            />
          )}
        </Field>
      )}
      {parameters.map(parameter => (
        <ParameterField
          {...props}
          key={parameter.name}
          parameter={parameter}
          offered={offered}
        />
      ))}
      {parameters.length > 0 && (
        <p className="jp-Pipelines-hint">
          {trans.__('Empty: as in the notebook. Expressions are welcome:')}{' '}
          <code>{offeredFor(draft)[0]}</code>
        </p>
      )}
      <datalist id={offered}>
        {offeredFor(draft).map(each => (
          <option key={each} value={each} />
        ))}
      </datalist>
    </Part>
  );
}

function windowWords({ trans }: IPartProps): Record<Window | '', string> {
  return {
    '': trans.__('no certain period'),
    hour: trans.__('the last complete hour'),
    day: trans.__('the last complete day'),
    week: trans.__('the last complete week'),
    month: trans.__('the last complete month'),
    quarter: trans.__('the last complete quarter'),
    year: trans.__('the last complete year')
  };
}

/** When it begins and ends, and how long a run may take. */
export function Bounds(props: IPartProps): React.JSX.Element {
  const { draft, change, problemOf, trans } = props;
  const moments: ['start' | 'end', string][] = [
    ['start', trans.__('Starts')],
    ['end', trans.__('Ends')]
  ];
  const spans: ['doneBy' | 'timeout', string, string, string][] = [
    [
      'doneBy',
      'done_by',
      trans.__('To be done by'),
      trans.__('08:00, or 2h after its time. Later is late: an alert tells.')
    ],
    [
      'timeout',
      'timeout',
      trans.__('Stopped after'),
      trans.__('Such as 30m or 2h; as in the notebook unless given.')
    ]
  ];
  const filled = [draft.start, draft.end, draft.doneBy, draft.timeout];
  const count = filled.filter(Boolean).length;
  return (
    <Part
      title={trans.__('Start, end, limits')}
      summary={count > 0 ? trans._n('%1 set', '%1 set', count) : ''}
      wrong={['start', 'end', 'done_by', 'timeout'].some(problemOf)}
    >
      {moments.map(([name, label]) => (
        <Field key={name} label={label} problem={problemOf(name)}>
          {field => (
            <input
              {...field}
              type="datetime-local"
              className="jp-Pipelines-input"
              value={draft[name]}
              onChange={event => {
                change({ [name]: event.target.value });
              }}
            />
          )}
        </Field>
      ))}
      {spans.map(([name, part, label, hint]) => (
        <Field key={name} label={label} problem={problemOf(part)} hint={hint}>
          {field => (
            <input
              {...field}
              type="text"
              className="jp-Pipelines-input"
              value={draft[name]}
              onChange={event => {
                change({ [name]: event.target.value });
              }}
            />
          )}
        </Field>
      ))}
    </Part>
  );
}

/** What becomes of runs that were missed, and of those that meet. */
export function Policies(props: IPartProps): React.JSX.Element {
  const { draft, change, problemOf, trans } = props;
  const missed: [Missed, string, string][] = [
    [
      'latest',
      trans.__('run the latest'),
      trans.__('When the machine is back, the last missed run is made up for.')
    ],
    [
      'all',
      trans.__('run all'),
      trans.__('When the machine is back, all missed runs follow in order.')
    ],
    [
      'skip',
      trans.__('skip'),
      trans.__('What was missed while the machine was off is left out.')
    ]
  ];
  const overlap: [Overlap, string, string][] = [
    [
      'queue',
      trans.__('wait'),
      trans.__('A run waits until the one before it has ended.')
    ],
    [
      'skip',
      trans.__('skip'),
      trans.__('A run is left out while an earlier one goes on.')
    ],
    [
      'parallel',
      trans.__('run side by side'),
      trans.__('So many go on at once; further ones wait.')
    ],
    [
      'cancel-previous',
      trans.__('cancel the earlier'),
      trans.__('A run that goes on is cancelled when the next is due.')
    ]
  ];
  // A file that is skipped would never be looked at.
  const overlaps = overlap.filter(
    ([choice]) =>
      !(draft.way === 'event' && draft.event === 'file') ||
      choice === 'queue' ||
      choice === 'parallel'
  );
  const trigger = isTrigger(draft);
  const chosen = overlap.find(([choice]) => choice === draft.overlap);
  const made = missed.find(([choice]) => choice === draft.missed);
  return (
    <Part
      title={trigger ? trans.__('Overlap') : trans.__('Missed, overlapping')}
      summary={[
        trigger || draft.missed === 'latest' ? '' : made?.[1],
        draft.overlap === 'queue' ? '' : chosen?.[1]
      ]
        .filter(Boolean)
        .join(' · ')}
      wrong={['missed', 'overlap'].some(problemOf)}
    >
      {!trigger && (
        <Field
          label={trans.__('Missed runs')}
          problem={problemOf('missed')}
          hint={made?.[2]}
        >
          {field => (
            <Select
              {...field}
              value={draft.missed}
              choices={missed.map(([choice, word]) => [choice, word])}
              onChange={value => {
                change({ missed: value });
              }}
            />
          )}
        </Field>
      )}
      <Field
        label={trans.__('While an earlier run goes on')}
        problem={problemOf('overlap')}
        hint={chosen?.[2]}
      >
        {field => (
          <Select
            {...field}
            value={draft.overlap}
            choices={overlaps.map(([choice, word]) => [choice, word])}
            onChange={value => {
              change({ overlap: value });
            }}
          />
        )}
      </Field>
      {draft.overlap === 'parallel' && !trigger && (
        <Field label={trans.__('At once, at most')} inline>
          {field => (
            <input
              {...field}
              type="number"
              min={2}
              max={1000}
              className="jp-Pipelines-input jp-mod-short"
              value={draft.maxParallel}
              onChange={event => {
                change({ maxParallel: event.target.value });
              }}
            />
          )}
        </Field>
      )}
    </Part>
  );
}

/** `v3`, as people call versions here: the how-manieth it is. */
export function versionLabel(
  versions: readonly IVersion[] | null,
  id: string
): string {
  const at = versions?.findIndex(version => version.id === id) ?? -1;
  return versions && at >= 0 ? `v${versions.length - at}` : id.slice(0, 7);
}

/** What runs, and what it is called. */
export function Runs(
  props: IPartProps & { versions: readonly IVersion[] | null }
): React.JSX.Element {
  const { draft, change, problemOf, trans, versions } = props;
  const published = versions?.find(version => version.published);
  const trigger = isTrigger(draft);
  const sources: [Source, string, string][] = [
    [
      'published',
      published
        ? trans.__(
            'the published version (%1)',
            versionLabel(versions, published.id)
          )
        : trans.__('the published version'),
      trans.__('Edits count when you publish them.')
    ],
    [
      'follow',
      trans.__('the notebook, as last saved'),
      trans.__(
        'Each save is published when the check finds no error; else the last good version goes on.'
      )
    ],
    [
      'ref',
      trans.__('a git branch or tag'),
      trans.__('What it points to is published whenever it moves.')
    ],
    [
      'version',
      trans.__('one version, for good'),
      trans.__('Whatever is published later.')
    ],
    [
      'file',
      trans.__('the file, unchecked'),
      trans.__('As it is at that moment, half-done edits included.')
    ]
  ];
  const offered = sources.filter(
    ([source]) =>
      !(trigger && (source === 'follow' || source === 'ref')) &&
      !(source === 'version' && !versions?.length && !draft.version)
  );
  const chosen = sources.find(([source]) => source === draft.source);
  const follows = draft.source === 'follow' || draft.source === 'ref';
  return (
    <Part
      title={trans.__('Version and name')}
      summary={[
        draft.source === 'published' ? '' : chosen?.[1],
        draft.name.trim()
      ]
        .filter(Boolean)
        .join(' · ')}
      wrong={['version', 'ref', 'verify', 'name'].some(problemOf)}
    >
      <Field
        label={trans.__('Runs')}
        problem={problemOf('version')}
        hint={chosen?.[2]}
      >
        {field => (
          <Select
            {...field}
            value={draft.source}
            choices={offered.map(([source, word]) => [source, word])}
            onChange={source => {
              change({
                source,
                ...(source === 'version' && !draft.version
                  ? { version: (published ?? versions?.[0])?.id ?? '' }
                  : {})
              });
            }}
          />
        )}
      </Field>
      {draft.source === 'version' && (
        <Field label={trans.__('Version')}>
          {field => (
            <Select
              {...field}
              value={draft.version}
              choices={
                versions?.map((version): [string, string] => [
                  version.id,
                  [
                    versionLabel(versions, version.id),
                    moment(new Date(version.time * 1000)),
                    version.message
                  ]
                    .filter(Boolean)
                    .join(' · ')
                ]) ?? [[draft.version, draft.version]]
              }
              onChange={version => {
                change({ version });
              }}
            />
          )}
        </Field>
      )}
      {draft.source === 'ref' && (
        <Field
          label={trans.__('Branch or tag')}
          problem={
            problemOf('ref') === 'missing'
              ? trans.__('Name a branch or a tag.')
              : problemOf('ref')
          }
        >
          {field => (
            <input
              {...field}
              type="text"
              className="jp-Pipelines-input jp-mod-code"
              placeholder={trans.__('main')}
              spellCheck={false}
              value={draft.ref}
              onChange={event => {
                change({ ref: event.target.value });
              }}
            />
          )}
        </Field>
      )}
      {follows && !trigger && (
        <label className="jp-Pipelines-check">
          <input
            type="checkbox"
            checked={draft.verify}
            onChange={event => {
              change({ verify: event.target.checked });
            }}
          />
          {trans.__('Only when it gives what Restart & Run All gives')}
        </label>
      )}
      <Field label={trans.__('Name')} problem={problemOf('name')}>
        {field => (
          <input
            {...field}
            type="text"
            className="jp-Pipelines-input"
            maxLength={200}
            placeholder={trans.__('optional')}
            value={draft.name}
            onChange={event => {
              change({ name: event.target.value });
            }}
          />
        )}
      </Field>
    </Part>
  );
}
