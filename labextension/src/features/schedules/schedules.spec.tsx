import { nullTranslator } from '@jupyterlab/translation';
import { StateDB } from '@jupyterlab/statedb';
import { cleanup, render, screen } from '@testing-library/react';
import * as React from 'react';
import type { IParameter, ISchedule, IScheduleSpec, ITrigger } from '../../api';
import { ScheduleDrafts } from './drafts';
import {
  draftOfSchedule,
  draftOfTrigger,
  duplicateOf,
  type IDraft,
  missingIn,
  newDraft,
  partOf,
  scheduleRequest,
  specOf,
  triggerRequest,
  withParameter
} from './model';
import { clockHere, isSurprise, NextRuns, windowDays } from './preview';
import { SIMPLE, simpleInWords, simpleOf, specOfSimple } from './simple';
import { oddities, whenInWords } from './words';

const trans = nullTranslator.load('');

function schedule(spec: IScheduleSpec, change = {}): ISchedule {
  return {
    id: 's1',
    name: '',
    notebook: 'a/sales.ipynb',
    pipeline: '',
    version: 'published',
    schedule: { zone: 'UTC', ...spec },
    active_since: '',
    paused: false,
    words: '',
    expression: '',
    next: null,
    waiting: [],
    problem: '',
    ...change
  };
}

function trigger(change: Partial<ITrigger>): ITrigger {
  return {
    id: 't1',
    name: '',
    notebook: 'a/sales.ipynb',
    pipeline: '',
    version: 'published',
    kind: 'after',
    cause: {},
    words: '',
    parameters: {},
    overlap: 'queue',
    paused: false,
    active_since: '',
    waiting: [],
    problem: '',
    ...change
  };
}

function parameter(name: string, schema: IParameter['schema']): IParameter {
  return {
    name,
    annotation: '',
    default: null,
    description: '',
    ...(schema ? { schema } : {})
  };
}

describe('a schedule that is said as “every … at …”', () => {
  it.each([
    ['Every 15 minutes', { cron: '*/15 * * * *' }],
    ['Every minute', { cron: '* * * * *' }],
    ['Every hour at minute 05', { cron: '5 * * * *' }],
    ['Every day at 07:00', { cron: '0 7 * * *' }],
    ['Monday to Friday at 18:30', { cron: '30 18 * * 1-5' }],
    ['Every Monday, Wednesday, and Sunday at 09:00', { cron: '0 9 * * 0,1,3' }],
    ['Day 15 of the month at 06:00', { cron: '0 6 15 * *' }],
    [
      'Last day of the month at 06:05',
      { rrule: 'FREQ=MONTHLY;BYMONTHDAY=-1;BYHOUR=6;BYMINUTE=5' }
    ],
    [
      'Every first Monday of the month at 09:00',
      { rrule: 'FREQ=MONTHLY;BYDAY=1MO;BYHOUR=9;BYMINUTE=0' }
    ],
    [
      'Every last Friday of the month at 17:00',
      { rrule: 'FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=17;BYMINUTE=0' }
    ]
  ])('%s, and back', (words, spec) => {
    const simple = simpleOf(spec);
    expect(simple && specOfSimple(simple)).toEqual(spec);
    expect(simple && simpleInWords(simple, trans)).toBe(words);
  });

  it.each([
    { cron: '*/7 * * * *' },
    { cron: '0 7,9 * * *' },
    { cron: '0 7 1 * 1' },
    { cron: '0 7 * 6 *' },
    { interval: '6h' },
    { rrule: 'FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;BYHOUR=9;BYMINUTE=0' },
    {
      rrule: 'FREQ=MONTHLY;BYMONTHDAY=-1;BYHOUR=6;BYMINUTE=5',
      anchor: '2027-01-01T00:00:00'
    }
  ])('is not made of what is more than that: %o', spec => {
    expect(simpleOf(spec)).toBeNull();
  });
});

describe('a draft', () => {
  it('comes back as the schedule that it was made of', () => {
    const spec: IScheduleSpec = {
      cron: '0 7,9 * * *',
      zone: 'Europe/Paris',
      start: '2027-03-01T00:00:00+01:00',
      end: '2027-04-01T23:59:59+02:00',
      missed: 'all',
      overlap: 'parallel',
      max_parallel: 3,
      done_by: '08:00',
      timeout: '30m',
      window: 'day',
      name: 'nightly',
      parameters: { day: '{{ interval_start.date() }}', n: 3 }
    };
    const draft = draftOfSchedule(
      schedule(spec, { name: 'nightly', version: 'v', follow: '' }),
      []
    );
    expect(draft.way).toBe('cron');
    const request = scheduleRequest('a/sales.ipynb', draft, []);
    expect(request).toEqual({
      notebook: 'a/sales.ipynb',
      version: 'v',
      when: {
        ...spec,
        cron: undefined,
        phrase: '0 7,9 * * *',
        start: '2027-03-01T00:00',
        end: '2027-04-01T23:59'
      }
    });
  });

  it.each([
    [{ interval: '90m' }, 'interval', '90', 'm'],
    [{ interval: '1d' }, 'interval', '1', 'd'],
    [{ interval: '45s' }, 'interval', '45s', 'm']
  ])('of the interval %o', (spec, way, every, unit) => {
    const draft = draftOfSchedule(schedule(spec), []);
    expect([draft.way, draft.every, draft.everyUnit]).toEqual([
      way,
      every,
      unit
    ]);
    expect(specOf(draft, [])).toMatchObject(spec);
  });

  it('keeps what a rule says beyond its text, until that is changed', () => {
    const rule = {
      rrule: 'FREQ=WEEKLY;INTERVAL=2;BYHOUR=9;BYMINUTE=0',
      anchor: '2027-01-04T00:00:00'
    };
    const draft = draftOfSchedule(
      schedule({ ...rule, phrase: 'every 2 weeks on monday at 9:00' }),
      []
    );
    expect(draft.cron).toBe('every 2 weeks on monday at 9:00');
    expect(specOf(draft, [])).toMatchObject(rule);
    expect(
      specOf({ ...draft, cron: 'every day', rule: null }, [])
    ).toMatchObject({ phrase: 'every day' });
  });

  it.each([
    ['published', { version: 'published' }],
    ['file', { version: 'file' }],
    ['follow', { follow: true, verify: true }],
    ['ref', { ref: 'main', verify: true }]
  ] as [IDraft['source'], object][])('runs %s', (source, expected) => {
    const draft = { ...newDraft(), source, ref: ' main ', verify: true };
    const { notebook, when, ...rest } = scheduleRequest('n', draft, [])!;
    expect([notebook, typeof when]).toEqual(['n', 'object']);
    expect(rest).toEqual(expected);
  });

  it('says what is missing', () => {
    const draft = newDraft();
    expect(missingIn(draft, [])).toBe('');
    expect(missingIn({ ...draft, source: 'ref' }, [])).toBe('ref');
    expect(missingIn({ ...draft, simple: { ...SIMPLE, time: '' } }, [])).toBe(
      'time'
    );
    const never: IDraft = {
      ...draft,
      simple: { ...SIMPLE, unit: 'week', weekdays: [] }
    };
    expect(missingIn(never, [])).toBe('weekdays');
    expect(scheduleRequest('n', never, [])).toBeNull();
    expect(missingIn({ ...draft, way: 'after' }, [])).toBe('after');
    expect(missingIn({ ...draft, way: 'event' }, [])).toBe('file');
    expect(missingIn({ ...draft, way: 'cron', cron: ' ' }, [])).toBe('cron');
  });

  it('has the values of a schedule as they stand in fields, and gives them back', () => {
    const values = {
      mode: 'fast',
      only: null,
      days: ['{{ interval_start.date() }}', 'today'],
      day: '{{ interval_start.date() }}',
      gone: 7
    };
    const parameters = [
      parameter('mode', { enum: ['fast', 'slow'] }),
      parameter('only', { anyOf: [{ type: 'string' }, { type: 'null' }] }),
      parameter('days', { type: 'array' }),
      parameter('day', { type: 'string', format: 'date' })
    ];
    const draft = draftOfSchedule(
      schedule({ cron: '0 7 * * *', window: 'day', parameters: values }),
      parameters
    );
    expect(draft.parameters).toMatchObject({
      mode: '"fast"',
      only: null,
      day: '{{ interval_start.date() }}'
    });
    expect(missingIn(draft, parameters)).toBe('');
    expect(specOf(draft, parameters)?.parameters).toEqual(values);
  });

  it('does not go with a value that its parameter does not take', () => {
    const draft = { ...newDraft(), parameters: { size: 'many' } };
    const parameters = [parameter('size', { type: 'integer' })];
    expect(missingIn(draft, parameters)).toBe('parameters.size');
    expect(specOf(draft, parameters)).not.toHaveProperty('parameters');
  });

  it.each([
    ['day', 'day'],
    ['week', 'week'],
    ['nth', 'month'],
    ['minutes', 'hour']
  ] as const)(
    'works on a period once a parameter follows it: every %s, the last %s',
    (unit, window) => {
      const draft = { ...newDraft(), simple: { ...SIMPLE, unit } };
      const given = (text: string): object =>
        withParameter(draft, 'day', { day: text }, false);
      expect(given('{{ interval_start.date() }}')).toMatchObject({ window });
      expect(given('2027-01-01')).not.toHaveProperty('window');
      expect(given('{{ scheduled_time }}')).not.toHaveProperty('window');
    }
  );

  it('finds the field that an error is about', () => {
    const draft = newDraft();
    expect(partOf('when.zone', draft)).toBe('zone');
    expect(partOf('when.parameters.day', draft)).toBe('parameters.day');
    expect(partOf('parameters.day', draft)).toBe('parameters.day');
    expect(partOf('when.phrase', { ...draft, way: 'cron' })).toBe('cron');
    expect(partOf('when.interval', { ...draft, way: 'interval' })).toBe(
      'interval'
    );
    expect(partOf('notebook', draft)).toBe('');
    expect(partOf('parameters', draft)).toBe('');
  });
});

describe('a trigger', () => {
  it.each([
    [
      {
        kind: 'after',
        cause: { pipelines: ['x.ipynb', 'y.ipynb'], on: 'always', all_of: true }
      },
      { after: ['x.ipynb', 'y.ipynb'], on: 'always', all_of: true }
    ],
    [
      { kind: 'file', cause: { pattern: 'a/incoming/*.csv', together: true } },
      { file: 'incoming/*.csv', together: true }
    ],
    [
      {
        kind: 'update',
        cause: { files: ['a/t.parquet'], outputs: [['b/x.ipynb', 'total']] }
      },
      { updated: ['t.parquet', 'b/x.ipynb:total'] }
    ],
    [
      {
        kind: 'update',
        cause: { files: ['a/t.parquet'], tables: ['shop.orders'], reads: true }
      },
      { updated: true }
    ],
    [{ kind: 'token', cause: {} }, { token: true }],
    [{ kind: 'event', cause: { pattern: 'orders.*' } }, { event: 'orders.*' }]
  ] as [Partial<ITrigger>, object][])(
    'comes back as it was made: %o',
    (made, asked) => {
      const draft = draftOfTrigger(trigger({ ...made, name: 'mine' }), []);
      expect(triggerRequest('a/sales.ipynb', draft, [])).toEqual({
        notebook: 'a/sales.ipynb',
        version: 'published',
        overlap: 'queue',
        name: 'mine',
        ...asked
      });
    }
  );
});

describe('drafts', () => {
  it('are there again after a reload, each with its notebook', async () => {
    const state = new StateDB();
    const before = new ScheduleDrafts(state);
    before.begin('a.ipynb', {
      ...newDraft(),
      cron: 'every day',
      parameters: { token: 'hush', size: '3' },
      secrets: ['token']
    });
    expect(before.takeFocus('b.ipynb')).toBe(false);
    expect(before.takeFocus('a.ipynb')).toBe(true);
    expect(before.takeFocus('a.ipynb')).toBe(false);
    await vi.waitFor(async () => {
      const after = new ScheduleDrafts(state);
      await after.restore();
      expect(after.of('a.ipynb')?.cron).toBe('every day');
      expect(after.of('a.ipynb')?.parameters).toEqual({ size: '3' });
      expect(after.of('b.ipynb')).toBeNull();
    });
  });

  it('go on with what is there when one begins again', () => {
    const drafts = new ScheduleDrafts();
    drafts.begin('a.ipynb', { ...newDraft(), name: 'half' });
    drafts.begin('a.ipynb');
    expect(drafts.of('a.ipynb')?.name).toBe('half');
  });

  it('of a duplicate are new', () => {
    const draft = draftOfSchedule(schedule({ cron: '0 7 * * *' }), []);
    const copy = duplicateOf(draft);
    expect([copy.editing, copy.key === draft.key]).toEqual(['', false]);
  });
});

describe('words', () => {
  it('take the server’s where ours do not do', () => {
    const words = 'Every 6 hours, counted from 2027 (UTC); a run waits.';
    expect(whenInWords(schedule({ interval: '6h' }, { words }), trans)).toBe(
      'Every 6 hours'
    );
  });

  it('name what is not as usual, and only that', () => {
    expect(oddities({ missed: 'latest', overlap: 'queue' }, trans)).toEqual([]);
    expect(
      oddities(
        { missed: 'skip', overlap: 'parallel', max_parallel: 2, window: 'day' },
        trans
      )
    ).toEqual([
      'on the last day’s data',
      'missed runs are skipped',
      'up to 2 at once'
    ]);
  });
});

describe('the next runs', () => {
  afterEach(cleanup);

  it('point out what surprises, and nothing else', () => {
    expect(isSurprise('the clocks go back 1 hour on x: no effect')).toBe(false);
    expect(
      isSurprise('the clocks go back 1 hour on x: it goes on every 15 minutes')
    ).toBe(false);
    expect(isSurprise('the clocks go back 1 hour on x: runs at 03:00')).toBe(
      true
    );
  });

  it('tell the reader’s own clock where it shows something else', () => {
    const time = new Date('2027-03-01T06:00:00Z');
    expect(clockHere(time, 'Europe/Paris', 'Europe/Berlin')).toBe('');
    expect(clockHere(time, 'Europe/Paris', 'UTC')).toBe('06:00');
    expect(clockHere(time, 'Europe/Paris', 'Pacific/Honolulu')).toContain(
      'Feb'
    );
  });

  it('name the days of a window without the one it ends with', () => {
    const window = {
      start: '2027-03-01T00:00:00+01:00',
      end: '2027-03-02T00:00:00+01:00'
    };
    expect(windowDays(window, 'Europe/Paris')).toBe('Mar 1, 2027');
  });

  it('stay, marked, when the last edit cannot be understood', () => {
    const preview = {
      schedule: { zone: 'UTC' },
      words: '',
      expression: '',
      times: [
        {
          time: '2027-03-28T03:00:00Z',
          window: null,
          deadline: null,
          notes: ['02:30 does not exist: runs at 03:00'],
          parameters: { day: '2027-03-27' }
        }
      ],
      clock_changes: []
    };
    render(
      <NextRuns
        previewed={{
          preview,
          error: { message: 'no' } as never,
          pending: false
        }}
        dependent={['day']}
        trans={trans}
      />
    );
    const region = screen.getByRole('region');
    expect(region.dataset.stale).toBe('true');
    expect(region.textContent).toContain('day = 2027-03-27');
    expect(region.textContent).toContain('02:30 does not exist');
  });
});
