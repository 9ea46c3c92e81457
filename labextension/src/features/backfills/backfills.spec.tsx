import { nullTranslator } from '@jupyterlab/translation';
import type { JSONObject } from '@lumino/coreutils';
import type { ISchedule } from '../../api';
import {
  fateOf,
  ignoresWindows,
  isFilledIn,
  lastDays,
  newDraft,
  presetsOf,
  problemsOf,
  progressText,
  requestOf,
  windowText,
  withWindow
} from './model';
import { draftsIn } from './plugin';

const trans = nullTranslator.load('');
const NOW = new Date(2027, 2, 1, 12);

function parameter(name: string, annotation = '', schema: JSONObject = {}) {
  return { name, annotation, default: null, description: '', schema };
}

describe('what is asked for', () => {
  const parameters = [
    parameter('day', 'str', { type: 'string', default: '' }),
    parameter('size', 'int', { type: 'integer', default: 3 }),
    parameter('fast', 'bool', { type: 'boolean', default: false })
  ];

  it('begins with the last seven days that are over', () => {
    expect(newDraft(NOW)).toMatchObject({
      first: '2027-02-22',
      last: '2027-02-28',
      window: 'day'
    });
    expect(lastDays(1, NOW)).toEqual({
      first: '2027-02-28',
      last: '2027-02-28'
    });
  });

  it('gives values their types, and leaves out what is empty', () => {
    const draft = {
      ...newDraft(NOW),
      timezone: '',
      parallel: '2',
      parameters: {
        day: '{{ interval_start.date() }}',
        size: ' 7 ',
        'not declared': 'x'
      }
    };
    expect(requestOf('a.ipynb', draft, parameters)).toEqual({
      notebook: 'a.ipynb',
      first: '2027-02-22',
      last: '2027-02-28',
      window: 'day',
      parameters: { day: '{{ interval_start.date() }}', size: 7 },
      parallel: 2,
      order: 'oldest-first',
      keep_going: false,
      again: false
    });
    const scheduled = requestOf('a.ipynb', { ...draft, schedule: 's' }, []);
    expect(scheduled).toMatchObject({ schedule: 's' });
    expect(scheduled).not.toHaveProperty('window');
  });

  it('shows what the chosen schedule gives', () => {
    const schedules = [
      { id: 's', schedule: { parameters: { day: '{{ interval_end }}' } } }
    ] as unknown as ISchedule[];
    const draft = newDraft(NOW);
    expect(presetsOf(draft, schedules, parameters)).toEqual({});
    expect(
      presetsOf({ ...draft, schedule: 's' }, schedules, parameters)
    ).toEqual({ day: '{{ interval_end }}' });
    // By their names alone, as dates or as times.
    const own = [
      parameter('interval_start', 'date', { type: 'string', format: 'date' }),
      parameter('interval_end', 'datetime', {
        type: 'string',
        format: 'date-time'
      })
    ];
    expect(presetsOf(draft, schedules, own)).toEqual({
      interval_start: '{{ interval_start.date() }}',
      interval_end: '{{ interval_end }}'
    });
  });

  it('says what is missing, before the server is asked', () => {
    const draft = newDraft(NOW);
    expect(problemsOf(draft, trans)).toEqual({});
    expect(isFilledIn(draft, parameters, trans)).toBe(true);
    const wrong = { ...draft, parameters: { size: 'many' } };
    expect(isFilledIn(wrong, parameters, trans)).toBe(false);
    expect(
      Object.keys(
        problemsOf({ ...draft, first: '2027-03-01', parallel: '1.5' }, trans)
      )
    ).toEqual(['last', 'parallel']);
    expect(Object.keys(problemsOf({ ...draft, first: '' }, trans))).toEqual([
      'first'
    ]);
  });

  it('notices when every window would get the same', () => {
    const draft = newDraft(NOW);
    expect(ignoresWindows(draft, parameters)).toBe(true);
    draft.parameters = { day: '{{ interval_start }}' };
    expect(ignoresWindows(draft, parameters)).toBe(false);
  });

  it('gives the window to the parameter that most likely wants it', () => {
    const draft = newDraft(NOW);
    const given = (...declared: ReturnType<typeof parameter>[]): object =>
      withWindow(draft, declared).parameters;
    expect(given(...parameters)).toEqual({
      day: '{{ interval_start.date() }}'
    });
    expect(given(parameter('x', 'int'), parameter('until', 'date'))).toEqual({
      until: '{{ interval_start.date() }}'
    });
    // These have it without being given it.
    expect(given(parameter('day', 'str'), parameter('interval_end'))).toEqual(
      {}
    );
    expect(given(parameter('days', 'int'))).toEqual({});
  });

  it('is kept until it is sent', async () => {
    const state = new Map<string, unknown>();
    const db = {
      fetch: (id: string) => Promise.resolve(state.get(id)),
      save: (id: string, value: unknown) =>
        Promise.resolve(void state.set(id, value)),
      remove: (id: string) => Promise.resolve(void state.delete(id))
    } as never;
    const draft = { ...newDraft(NOW), parallel: '9' };
    draftsIn(db).save('a.ipynb', draft);
    // After the page was loaded again.
    expect(await draftsIn(db).load('a.ipynb')).toEqual(draft);
    expect(await draftsIn(db).load('b.ipynb')).toBeNull();
    draftsIn(db).save('a.ipynb', null);
    expect(await draftsIn(db).load('a.ipynb')).toBeNull();
  });
});

describe('how far one has come', () => {
  it('counts', () => {
    const counts = { completed: 3, done: 1, failed: 1, crashed: 1, waiting: 4 };
    expect(progressText({ counts, size: 10 }, trans)).toBe(
      '4 of 10 windows · 2 failed'
    );
  });

  it('names windows by their wall time', () => {
    const day = {
      start: '2027-03-28T00:00:00+01:00',
      end: '2027-03-29T00:00:00+02:00'
    };
    expect(windowText(day, 'day', 'en-GB')).toBe('Sun, 28 Mar 2027');
    expect(windowText(day, 'month', 'en-GB')).toBe('March 2027');
    expect(
      windowText({ ...day, end: '2027-04-04T00:00:00+02:00' }, 'week', 'en-GB')
    ).toBe('28 Mar 2027 – 3 Apr 2027');
    expect(
      windowText(
        {
          start: '2027-03-28T01:00:00+01:00',
          end: '2027-03-28T03:00:00+02:00'
        },
        'hour',
        'en-GB'
      )
    ).toBe('28 Mar 2027, 01:00–03:00');
  });

  it('says what becomes of a window', () => {
    const fate = (state: string, before: string): string =>
      fateOf({ state, before } as never, trans);
    expect(fate('waiting', '')).toBe('runs');
    expect(fate('waiting', 'completed')).toBe('runs again');
    expect(fate('waiting', 'failed')).toBe('runs; failed the last time');
    expect(fate('done', 'completed')).toBe('done before: left alone');
  });
});
