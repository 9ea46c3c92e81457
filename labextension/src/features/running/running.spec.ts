import { Signal } from '@lumino/signaling';
import {
  ApiError,
  type IPipelineSummary,
  type IRun,
  type IService
} from '../../api';
import type { IRecords } from '../../tokens';
import { ParameterValues } from '../parameters/values';
import { lastStates } from '../steps/model';
import { causeOf, failureOf, progressOf, Running, stateOf } from './model';

const PATH = 'a.ipynb';

function run(change: object = {}): IRun {
  return {
    id: 'r1',
    state: 'completed',
    steps: [],
    only: '',
    from_step: '',
    until: '',
    ...change
  } as unknown as IRun;
}

function setUp(change: object = {}): {
  running: Running;
  values: ParameterValues;
  asked: string[];
} {
  const asked: string[] = [];
  const values = new ParameterValues(null);
  const runs = { value: [], set: vi.fn(), refresh: vi.fn() };
  const api = {
    submit: vi.fn((request: object) => {
      asked.push(`run ${JSON.stringify(request)}`);
      return Promise.resolve(run());
    }),
    runs: () => Promise.resolve({ runs: [run({ state: 'failed' })] }),
    resumeRun: (id: string) => {
      asked.push(`resume ${id}`);
      return Promise.resolve(run({ id: 'r2' }));
    },
    ...change
  };
  const records = { api, of: () => ({ runs }) } as unknown as IRecords;
  const running = new Running({
    records,
    values,
    parameters: () => [
      {
        name: 'size',
        annotation: 'int',
        default: 3,
        description: '',
        schema: { type: 'integer', default: 3 }
      }
    ],
    save: path => {
      asked.push(`save ${path}`);
      return Promise.resolve();
    },
    words: {
      nothingToResume: 'nothing',
      runInstead: 'run',
      parameter: name => `wrong: ${name}`,
      correctIt: 'correct it'
    }
  });
  return { running, values, asked };
}

describe('running', () => {
  it('saves first, then runs with what is filled in', async () => {
    const { running, values, asked } = setUp();
    values.give(PATH, 'size', '5');
    await running.run(PATH, { until: 'total' });
    expect(asked).toEqual([
      'save a.ipynb',
      'run {"notebook":"a.ipynb","parameters":{"size":5},"until":"total"}'
    ]);
    expect(running.of(PATH)).toEqual({ doing: null, error: null });
  });

  it('asks for nothing while a value is wrong, and names the field', async () => {
    const { running, values, asked } = setUp();
    values.give(PATH, 'size', 'many');
    expect(await running.run(PATH)).toBeNull();
    expect(asked).toEqual(['save a.ipynb']);
    expect(running.of(PATH).error).toMatchObject({
      message: 'wrong: size',
      field: 'parameters.size'
    });
    running.clear(PATH);
    expect(running.of(PATH).error).toBeNull();
  });

  it('does one thing at a time, and tells what', async () => {
    let end: (run: IRun) => void = () => undefined;
    const { running, asked } = setUp({
      submit: () => {
        asked.push('run');
        return new Promise<IRun>(resolve => (end = resolve));
      }
    });
    const doing: unknown[] = [];
    running.changed.connect((_, path) => doing.push(running.of(path).doing));
    const first = running.run(PATH);
    await Promise.resolve();
    expect(await running.run(PATH)).toBeNull();
    end(run());
    await first;
    expect(asked).toEqual(['save a.ipynb', 'run']);
    expect(doing).toEqual(['saving', 'starting', null]);
    Signal.clearData(running);
  });

  it('keeps what the server refused', async () => {
    const error = new ApiError('no', 'do this', 'notebook', 400);
    const { running } = setUp({ submit: () => Promise.reject(error) });
    await running.run(PATH);
    expect(running.of(PATH).error).toBe(error);
  });

  it('resumes the last run, if that can be', async () => {
    const { running, asked } = setUp();
    await running.resume(PATH);
    expect(asked).toEqual(['save a.ipynb', 'resume r1']);
    const { running: other } = setUp({
      runs: () => Promise.resolve({ runs: [run()] })
    });
    expect(await other.resume(PATH)).toBeNull();
    expect(other.of(PATH).error?.message).toBe('nothing');
  });
});

describe('how a pipeline is', () => {
  const known = {
    summary: { state: 'active' } as IPipelineSummary,
    runs: [run()],
    service: { state: 'running' } as IService,
    heard: true
  };
  it.each<[object, string]>([
    [{}, 'active'],
    [{ runs: [run({ state: 'pending' }), run()] }, 'running'],
    [{ service: { state: 'stopped' } }, 'offline'],
    [{ heard: false }, 'offline'],
    [{ summary: null, runs: [] }, 'draft'],
    [{ summary: null, runs: [run({ state: 'failed' })] }, 'failing'],
    // The summary is a moment older than the runs.
    [{ summary: { state: 'running' } }, 'draft']
  ])('%j is %s', (change, state) => {
    expect(stateOf({ ...known, ...change })).toBe(state);
  });

  it('tells how far a run is, and where it failed', () => {
    const failed = run({
      steps: [
        { name: 'a', state: 'completed', error_cell: null },
        { name: 'b', state: 'failed', error_cell: 4 },
        { name: 'c', state: 'pending', error_cell: null }
      ]
    });
    expect(progressOf(failed)).toEqual({ done: 2, all: 3 });
    expect(failureOf(failed)).toEqual({ step: 'b', cell: 4 });
    const error = 'step b failed: KeyError: 1';
    expect(causeOf({ ...failed, error })).toBe('KeyError: 1');
    expect(causeOf({ ...failed, error: 'out of disk' })).toBe('out of disk');
  });
});

it('knows of each step how it went last, also when only a part was run', () => {
  const steps = (a: string, b: string): object[] => [
    { name: 'a', state: a },
    { name: 'b', state: b }
  ];
  const states = lastStates([
    run({ only: 'b', steps: steps('skipped', 'completed') }),
    run({ steps: steps('completed', 'failed') }),
    run({ steps: steps('failed', 'failed') })
  ]);
  expect([...states].map(([name, { state }]) => [name, state])).toEqual([
    ['b', 'completed'],
    ['a', 'completed']
  ]);
});
