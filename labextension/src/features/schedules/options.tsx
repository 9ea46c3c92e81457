/** The parts of the form that are needed now and then; each says in its line what is in it. */
import type { JSONValue } from '@lumino/coreutils';
import * as React from 'react';
import type { IParameter, IVersion, Missed, Overlap, Window } from '../../api';
import { Field, moment, Part, Select } from '../../ui';
import { windowBindings, windowPresets } from '../parameters/bound';
import { ParameterFields } from '../parameters/fields';
import {
  fieldOf,
  type IBinding,
  textOf,
  withGiven,
  withOthers
} from '../parameters/model';
import { isTrigger, type Source, withParameter } from './model';
import type { IPartProps } from './when';

/** What parameters can follow: the data window and the time of a schedule's run, or what has set a trigger off. */
function bindingsFor({ draft, trans }: IPartProps): IBinding[] {
  const offered = (
    ...each: [expression: string, words: string][]
  ): IBinding[] => each.map(([expression, words]) => ({ expression, words }));
  if (!isTrigger(draft)) {
    return [
      ...windowBindings(trans),
      ...offered(
        ['{{ scheduled_time.date() }}', trans.__('day of the run')],
        [
          "{{ scheduled_time.strftime('%Y-%m') }}",
          trans.__('month of the run, as 2027-01')
        ],
        ['{{ scheduled_time }}', trans.__('time of the run')]
      )
    ];
  }
  const run: [string, string] = [
    '{{ upstream.id }}',
    trans.__('id of the run before')
  ];
  const ofCause: Record<string, [string, string][]> = {
    after: [
      run,
      [
        '{{ upstream.executed_notebook }}',
        trans.__('executed notebook of the run before')
      ]
    ],
    file: [
      ['{{ file }}', trans.__('path of the file')],
      ['{{ files }}', trans.__('paths of the files')]
    ],
    update: [['{{ updated }}', trans.__('what was updated')], run],
    event: [
      ['{{ event.payload }}', trans.__('content of the event')],
      ['{{ event.name }}', trans.__('name of the event')]
    ],
    token: []
  };
  return offered(
    ...(ofCause[draft.way === 'after' ? 'after' : draft.event] ?? []),
    ['{{ triggered_at.date() }}', trans.__('day of the run')],
    ['{{ triggered_at }}', trans.__('time of the run')]
  );
}

/** The schedule's own parameters, and the period whose data each run works on. */
export function Parameters(
  props: IPartProps & {
    parameters: readonly IParameter[];
    /** What a parameter is going to be in the next runs, as far as that is known. */
    next: (name: string) => readonly JSONValue[];
  }
): React.JSX.Element | null {
  const { draft, change, problemOf, trans, parameters, next } = props;
  const trigger = isTrigger(draft);
  const all = withOthers(
    parameters,
    draft.parameters,
    trans.__('The notebook has no such parameter.')
  );
  if (all.length === 0 && trigger) {
    return null;
  }
  const count = Object.keys(draft.parameters).length;
  const words = windowWords(props);
  const refused = Object.fromEntries(
    all.map(({ name }) => [name, problemOf(`parameters.${name}`)])
  );
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
      wrong={problemOf('window') !== '' || Object.values(refused).some(Boolean)}
    >
      {!trigger && (
        <Field
          label={trans.__('Each run works on')}
          problem={problemOf('window')}
          hint={
            draft.window &&
            trans.__(
              'Given to parameters called interval_start and interval_end, and to those that follow the run.'
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
      {all.length > 0 && (
        <ParameterFields
          parameters={all}
          given={draft.parameters}
          refused={refused}
          presets={!trigger && draft.window ? windowPresets(all) : {}}
          bindings={bindingsFor(props)}
          outlook={name => {
            const values = next(name).slice(0, 3).map(textOf);
            return values.length > 0
              ? trans.__('The next runs: %1, …', values.join(', '))
              : '';
          }}
          trans={trans}
          onChange={(name, given) => {
            const parameter = all.find(one => one.name === name);
            const secret = parameter && fieldOf(parameter).kind === 'secret';
            const changed = withGiven(draft.parameters, name, given);
            change(withParameter(draft, name, changed, secret === true));
          }}
        />
      )}
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
