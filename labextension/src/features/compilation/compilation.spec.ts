import type { ICodeCellModel } from '@jupyterlab/cells';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { Signal } from '@lumino/signaling';
import { ApiError, type IPipeline } from '../../api';
import { notebookModel, pipeline, step } from '../../testing';
import { Compiler, withoutEmptyCells, withoutOutputs } from './model';

/** As much of a tracker and its panels as the compiler looks at, round real notebook models. */
function workspace(): {
  tracker: INotebookTracker;
  open: (panel: NotebookPanel | null) => void;
} {
  const tracker = { currentWidget: null as NotebookPanel | null };
  const currentChanged = new Signal<object, NotebookPanel | null>(tracker);
  const activeCellChanged = new Signal<object, null>(tracker);
  Object.assign(tracker, { currentChanged, activeCellChanged });
  return {
    tracker: tracker as unknown as INotebookTracker,
    open: panel => {
      tracker.currentWidget = panel;
      currentChanged.emit(panel);
    }
  };
}

function panelOf(
  model: ReturnType<typeof notebookModel>,
  path = 'a.ipynb'
): NotebookPanel {
  const context = { path, ready: Promise.resolve() };
  Object.assign(context, { pathChanged: new Signal<object, string>(context) });
  return {
    model,
    content: { activeCell: null, activeCellIndex: 0 },
    context
  } as unknown as NotebookPanel;
}

const ONE = pipeline({ steps: [step('one', [1])] });
const TWO = pipeline({ steps: [step('two', [1])] });

describe('the compiler', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('asks once for many edits, and not at all for outputs', async () => {
    const compile = vi.fn(() => Promise.resolve(ONE));
    const { tracker, open } = workspace();
    const compiler = new Compiler({ tracker, compile });
    const model = notebookModel({ source: 'x = 1' });
    open(panelOf(model));
    await vi.advanceTimersByTimeAsync(300);
    expect(compile).toHaveBeenCalledTimes(1);
    for (const text of 'abc') {
      model.cells.get(0).sharedModel.updateSource(0, 0, text);
    }
    await vi.advanceTimersByTimeAsync(300);
    expect(compile).toHaveBeenCalledTimes(2);
    const changed = vi.fn();
    model.contentChanged.connect(changed);
    (model.cells.get(0) as ICodeCellModel).outputs.add({
      output_type: 'stream',
      name: 'stdout',
      text: '1'
    });
    await vi.advanceTimersByTimeAsync(300);
    expect(changed).toHaveBeenCalled();
    expect(compile).toHaveBeenCalledTimes(2);
    expect(compiler.current.pending).toBe(false);
    compiler.dispose();
  });

  it('sends what each cell is now, whatever of it has changed', async () => {
    const sent: unknown[] = [];
    const { tracker, open } = workspace();
    const compiler = new Compiler({
      tracker,
      compile: (_name, notebook) => {
        sent.push(JSON.parse(notebook));
        return Promise.resolve(ONE);
      }
    });
    const model = notebookModel({ source: 'a' }, { source: '"b"\n' });
    open(panelOf(model));
    const [first, second] = [model.cells.get(0), model.cells.get(1)];
    const changes: (() => void)[] = [
      () => {
        first.sharedModel.setSource('a = 1');
      },
      () => {
        second.setMetadata('tags', ['setup']);
      },
      () => {
        first.sharedModel.setSource('a = 2');
      },
      () => {
        model.setMetadata('pipeline', { retries: 1 });
      },
      () => {
        model.sharedModel.moveCell(0, 1);
      },
      () => {
        model.sharedModel.deleteCell(0);
      }
    ];
    for (const change of [() => undefined, ...changes]) {
      change();
      await vi.advanceTimersByTimeAsync(300);
      expect(sent.at(-1)).toEqual(withoutOutputs(model));
    }
    expect(sent).toHaveLength(changes.length + 1);
    compiler.dispose();
  });

  it('says what is wrong with an unfinished line only after a pause', async () => {
    const wrong = pipeline({
      steps: ONE.steps,
      diagnostics: [
        {
          code: 'JP301',
          severity: 'error',
          message: '',
          fix: '',
          location: { cell: 1, line: 1 },
          step: 'one'
        }
      ]
    });
    const answers = [ONE, wrong, wrong, TWO];
    const { tracker, open } = workspace();
    const compiler = new Compiler({
      tracker,
      compile: () => Promise.resolve(answers.shift() ?? TWO)
    });
    const model = notebookModel({ source: 'x = 1' });
    const panel = panelOf(model);
    Object.assign(panel.content, { activeCell: {}, activeCellIndex: 0 });
    open(panel);
    await vi.advanceTimersByTimeAsync(50);
    const { sharedModel } = model.cells.get(0);
    sharedModel.setSource('x = 1 + ');
    await vi.advanceTimersByTimeAsync(100);
    expect(compiler.current).toMatchObject({ pipeline: ONE, pending: true });
    await vi.advanceTimersByTimeAsync(700);
    expect(compiler.current).toMatchObject({ pipeline: wrong, pending: false });
    sharedModel.setSource('x = 1 + (');
    sharedModel.setSource('x = 1 + 2');
    await vi.advanceTimersByTimeAsync(100);
    // As bad as before is shown at once; and so is what is better.
    sharedModel.setSource('x = 1 + 23');
    await vi.advanceTimersByTimeAsync(100);
    expect(compiler.current).toMatchObject({ pipeline: TWO, pending: false });
    compiler.dispose();
  });

  it('never shows an older answer after a newer one', async () => {
    const answers: ((answer: IPipeline) => void)[] = [];
    const signals: AbortSignal[] = [];
    const { tracker, open } = workspace();
    const compiler = new Compiler({
      tracker,
      compile: (_name, _notebook, signal) => {
        signals.push(signal);
        return new Promise(resolve => answers.push(resolve));
      }
    });
    const model = notebookModel({ source: 'x' });
    open(panelOf(model));
    await vi.advanceTimersByTimeAsync(300);
    model.cells.get(0).sharedModel.setSource('y');
    await vi.advanceTimersByTimeAsync(300);
    expect(signals.map(signal => signal.aborted)).toEqual([true, false]);
    answers[1]?.(TWO);
    answers[0]?.(ONE);
    await vi.advanceTimersByTimeAsync(0);
    expect(compiler.current).toMatchObject({ pipeline: TWO, pending: false });
    compiler.dispose();
  });

  it('keeps the last answer when the server goes, and comes back by itself', async () => {
    const compile = vi
      .fn<() => Promise<IPipeline>>()
      .mockResolvedValueOnce(ONE)
      .mockRejectedValueOnce(new ApiError('gone'))
      .mockResolvedValue(TWO);
    const { tracker, open } = workspace();
    const compiler = new Compiler({ tracker, compile });
    const model = notebookModel({ source: 'x' });
    open(panelOf(model));
    await vi.advanceTimersByTimeAsync(300);
    model.cells.get(0).sharedModel.setSource('y');
    await vi.advanceTimersByTimeAsync(300);
    expect(compiler.current).toMatchObject({ pipeline: ONE, error: 'gone' });
    await vi.advanceTimersByTimeAsync(5000);
    expect(compiler.current).toMatchObject({ pipeline: TWO, error: '' });
    compiler.dispose();
  });

  it('follows the notebook that is looked at', async () => {
    const names: string[] = [];
    const { tracker, open } = workspace();
    const compiler = new Compiler({
      tracker,
      compile: name => {
        names.push(name);
        return Promise.resolve(ONE);
      }
    });
    const first = notebookModel({ source: 'x' });
    open(panelOf(first, 'folder/first.ipynb'));
    await vi.advanceTimersByTimeAsync(300);
    open(panelOf(notebookModel({ source: 'x' }), 'second.ipynb'));
    expect(compiler.current.pipeline).toBeNull();
    await vi.advanceTimersByTimeAsync(300);
    first.cells.get(0).sharedModel.setSource('changed behind the scenes');
    await vi.advanceTimersByTimeAsync(300);
    expect(names).toEqual(['first.ipynb', 'second.ipynb']);
    open(null);
    expect(compiler.current).toMatchObject({ notebook: null, pipeline: null });
    compiler.dispose();
  });

  it('follows a notebook to its new name', async () => {
    const names: string[] = [];
    const { tracker, open } = workspace();
    const compiler = new Compiler({
      tracker,
      compile: name => {
        names.push(name);
        return Promise.resolve(ONE);
      }
    });
    const panel = panelOf(notebookModel({ source: 'x' }), 'old.ipynb');
    const pathChanged = new Signal<object, string>(panel);
    Object.assign(panel.context, { pathChanged });
    open(panel);
    await vi.advanceTimersByTimeAsync(300);
    const changed = vi.fn();
    compiler.changed.connect(changed);
    Object.assign(panel.context, { path: 'new.ipynb' });
    pathChanged.emit('new.ipynb');
    await vi.advanceTimersByTimeAsync(0);
    expect(names).toEqual(['old.ipynb', 'new.ipynb']);
    expect(changed).toHaveBeenCalled();
    compiler.dispose();
  });
});

it('leaves out empty cells, but not one that begins a step', () => {
  const compiled = pipeline({ steps: [step('a', [1, 2]), step('b', [3, 4])] });
  const { steps } = withoutEmptyCells(compiled, ['x = 1', ' \n', '', 'y = 2']);
  expect(steps.map(({ cells }) => cells)).toEqual([[1], [3, 4]]);
});

it('sends a notebook without its outputs', () => {
  const model = notebookModel(
    { source: 'print(1)', tags: ['setup'] },
    { type: 'markdown', source: '# Title' }
  );
  (model.cells.get(0) as ICodeCellModel).outputs.add({
    output_type: 'stream',
    name: 'stdout',
    text: '1'
  });
  expect(withoutOutputs(model)).toMatchObject({
    cells: [
      {
        cell_type: 'code',
        source: 'print(1)',
        metadata: { tags: ['setup'] },
        outputs: []
      },
      { cell_type: 'markdown', source: '# Title' }
    ],
    nbformat: 4
  });
});
