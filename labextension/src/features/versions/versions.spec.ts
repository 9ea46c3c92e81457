import { nullTranslator } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';
import type { Api, IDrift, IPipelineSummary, IVersionDiff } from '../../api';
import { notebookModel, pipeline } from '../../testing';
import type { ICompilation, ICompiler, IRecords } from '../../tokens';
import {
  changesInWords,
  countChanges,
  Drifts,
  isEmpty,
  lineOf,
  othersToContinue
} from './model';

const trans = nullTranslator.load('');

function drift(change: Partial<IDrift> = {}): IDrift {
  return {
    version: 'v',
    cells: [],
    files: [],
    settings: false,
    counts: {},
    clean: true,
    ...change
  };
}

const CHANGED = drift({
  cells: [
    { kind: 'changed', number: 2, before: 2 },
    { kind: 'removed', number: null, before: 5 }
  ],
  settings: true
});

it('counts what there is to publish, and says it', () => {
  expect(countChanges(CHANGED)).toBe(3);
  expect(changesInWords(CHANGED, trans)).toBe(
    '2 cells changed · settings changed'
  );
  expect(changesInWords(drift(), trans)).toBe('');
});

it.each([
  ['+x', 'added', 'x'],
  ['--x', 'removed', '-x'],
  [' x', 'same', 'x'],
  ['', 'same', ''],
  ['@@ -1 +1 @@', 'gap', '']
])('reads the line %j', (line, kind, text) => {
  expect(lineOf(line)).toEqual({ kind, text });
});

it('knows when two versions are the same', () => {
  const diff: IVersionDiff = {
    old: '',
    new: '',
    cells: [],
    parameters: [],
    options: [],
    files: [],
    environment: []
  };
  expect(isEmpty(diff)).toBe(true);
  const change = { name: 'python', before: '3.11', after: '3.12' };
  expect(isEmpty({ ...diff, environment: [change] })).toBe(false);
});

/** A compiler that answers what it is told, and records whose drift is counted. */
function world(answer: () => Promise<IDrift>): {
  compile: (path: string) => void;
  say: (event: { kind: string; notebook: string | null }) => void;
  ask: ReturnType<typeof vi.fn<Api['drift']>>;
  drifts: Drifts;
} {
  const compiler = { current: { notebook: null } as unknown as ICompilation };
  const changed = new Signal<object, ICompilation>(compiler);
  const received = new Signal<object, unknown>({});
  const ask = vi.fn<Api['drift']>(answer);
  const models = new Map<string, object>();
  const drifts = new Drifts(
    Object.assign(compiler, { changed }) as unknown as ICompiler,
    { api: { drift: ask }, events: { received } } as unknown as IRecords
  );
  return {
    ask,
    drifts,
    say: event => {
      received.emit(event);
    },
    compile: path => {
      const notebook = models.get(path) ?? {
        model: notebookModel({ source: 'x' }),
        context: { localPath: path }
      };
      models.set(path, notebook);
      compiler.current = {
        ...compiler.current,
        notebook,
        pipeline: pipeline()
      } as ICompilation;
      changed.emit(compiler.current);
    }
  };
}

describe('drift', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it('is asked for once for many edits, and names the cells', async () => {
    const { compile, ask, drifts } = world(() => Promise.resolve(CHANGED));
    compile('a.ipynb');
    compile('a.ipynb');
    await vi.advanceTimersByTimeAsync(400);
    expect(ask).toHaveBeenCalledTimes(1);
    expect([...drifts.changedCells]).toEqual([2]);
    compile('b.ipynb');
    expect(drifts.current).toMatchObject({ path: 'b.ipynb', drift: null });
    expect(drifts.changedCells.size).toBe(0);
    drifts.dispose();
  });

  it('is not asked for at each edit before something is published', async () => {
    const unpublished = drift({ version: '' });
    const { compile, say, ask, drifts } = world(() =>
      Promise.resolve(unpublished)
    );
    compile('a.ipynb');
    await vi.advanceTimersByTimeAsync(400);
    compile('a.ipynb');
    await vi.advanceTimersByTimeAsync(400);
    expect(ask).toHaveBeenCalledTimes(1);
    say({ kind: 'version', notebook: 'b.ipynb' });
    await vi.advanceTimersByTimeAsync(400);
    expect(ask).toHaveBeenCalledTimes(1);
    say({ kind: 'version', notebook: 'a.ipynb' });
    await vi.advanceTimersByTimeAsync(400);
    expect(ask).toHaveBeenCalledTimes(2);
    drifts.dispose();
  });

  it('keeps what it knew when the server does not answer', async () => {
    let fails = false;
    const { compile, drifts } = world(() =>
      fails ? Promise.reject(new Error('gone')) : Promise.resolve(CHANGED)
    );
    compile('a.ipynb');
    await vi.advanceTimersByTimeAsync(400);
    fails = true;
    compile('a.ipynb');
    await vi.advanceTimersByTimeAsync(400);
    expect(drifts.current.drift).toBe(CHANGED);
    expect(drifts.current.error).not.toBeNull();
    drifts.dispose();
  });
});

it('offers to go on with what was published, of notebooks that are gone first', () => {
  const summary = (
    notebook: string,
    published: boolean,
    missing = false
  ): IPipelineSummary =>
    ({
      notebook,
      missing,
      version: published ? { id: 'v' } : null
    }) as IPipelineSummary;
  const pipelines = [
    summary('here.ipynb', true),
    summary('new.ipynb', true),
    summary('draft.ipynb', false, true),
    summary('gone.ipynb', true, true)
  ];
  expect(othersToContinue(pipelines, 'new.ipynb')).toEqual([
    'gone.ipynb',
    'here.ipynb'
  ]);
});
