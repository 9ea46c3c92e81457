import type { NotebookPanel } from '@jupyterlab/notebook';
import { nullTranslator } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';
import type { ILiveValue, IPipeline } from '../../api';
import { edge, pipeline, step } from '../../testing';
import type { ICompiler } from '../../tokens';
import { crossing, inWords, LiveValues, notCarried } from './model';

const FRAME: ILiveValue = {
  type: 'DataFrame',
  size: 51_200_000,
  summary: '336,776 × 19',
  carried: true,
  reason: ''
};
const GENERATOR: ILiveValue = {
  type: 'generator',
  size: null,
  summary: '',
  carried: false,
  reason: 'a generator'
};
const COMPILED = pipeline({
  steps: [
    step('load', [1]),
    step('use', [2], { inputs: [{ name: 'x', producer: 'load' }] })
  ],
  edges: [edge('load', 'use', { written: { cell: 1, line: 4 } })]
});

it('tells what values are', () => {
  expect(inWords(FRAME)).toBe('DataFrame, 336,776 × 19, 51 MB');
  expect(inWords(GENERATOR)).toBe('generator');
});

it('tells what cannot cross its edge, unless the compiler does', () => {
  const trans = nullTranslator.load('');
  const values = new Map([['x', GENERATOR]]);
  const [found, ...others] = notCarried(COMPILED, values, trans);
  expect(others).toEqual([]);
  expect(found).toMatchObject({
    message: '`x` cannot be handed from load to use: it is a generator.',
    location: { cell: 1, line: 4 }
  });
  expect(notCarried(COMPILED, new Map([['x', FRAME]]), trans)).toEqual([]);
  const known: IPipeline = {
    ...COMPILED,
    diagnostics: [
      { ...found!, severity: 'error', message: 'step use needs `x`, which …' }
    ]
  };
  expect(notCarried(known, values, trans)).toEqual([]);
});

it('asks about each name once', () => {
  const input = { name: 'x', producer: 'load' };
  const steps = ['a', 'b'].map(name => step(name, [], { inputs: [input] }));
  expect(crossing(pipeline({ steps }))).toEqual(['x']);
});

describe('asking a kernel', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  function setting() {
    const requests: object[] = [];
    const session = { session: { kernel: null as object | null } };
    const signals = {
      iopubMessage: new Signal<object, unknown>(session),
      statusChanged: new Signal<object, string>(session),
      kernelChanged: new Signal<object, unknown>(session)
    };
    Object.assign(session, signals);
    let values: Record<string, ILiveValue> = { x: FRAME };
    const kernel = {
      status: 'idle',
      info: Promise.resolve({ language_info: { name: 'python' } }),
      requestExecute: (content: object) => {
        requests.push(content);
        // As a kernel does: at work, and idle again.
        signals.statusChanged.emit('busy');
        signals.statusChanged.emit('idle');
        const found = { data: { 'application/json': values } };
        return {
          done: Promise.resolve({
            content: { status: 'ok', user_expressions: { values: found } }
          })
        };
      }
    };
    session.session.kernel = kernel;
    const compiler = {
      current: {
        notebook: { sessionContext: session } as unknown as NotebookPanel,
        pipeline: COMPILED
      }
    };
    const changed = new Signal<object, unknown>(compiler);
    Object.assign(compiler, { changed });
    const live = new LiveValues(compiler as unknown as ICompiler, names =>
      Promise.resolve(`look(${names.join()})`)
    );
    return {
      live,
      requests,
      kernel,
      changed,
      execute: (next: typeof values) => {
        values = next;
        signals.iopubMessage.emit({ header: { msg_type: 'execute_input' } });
        signals.statusChanged.emit('idle');
      },
      restart: () => {
        signals.statusChanged.emit('restarting');
      }
    };
  }

  it('happens silently when it is idle, after executions, and not for itself', async () => {
    const { live, requests, execute, restart } = setting();
    await vi.advanceTimersByTimeAsync(5000);
    expect(requests).toHaveLength(1);
    expect(requests[0]).toMatchObject({
      code: '',
      silent: true,
      store_history: false,
      user_expressions: { values: 'look(x)' }
    });
    expect(live.values.get('x')).toEqual(FRAME);
    execute({ x: GENERATOR });
    await vi.advanceTimersByTimeAsync(5000);
    expect(requests).toHaveLength(2);
    expect(live.values.get('x')).toEqual(GENERATOR);
    restart();
    expect(live.values.size).toBe(0);
    live.dispose();
  });

  it('never happens while it is at work', async () => {
    const { live, requests, kernel, execute } = setting();
    kernel.status = 'busy';
    await vi.advanceTimersByTimeAsync(5000);
    expect(requests).toHaveLength(0);
    kernel.status = 'idle';
    execute({ x: FRAME });
    await vi.advanceTimersByTimeAsync(5000);
    expect(requests).toHaveLength(1);
    live.dispose();
  });
});
