/** Asking the kernel of the open notebook what the values are that cross edges, while it has nothing else to do. */
import type { ISessionContext } from '@jupyterlab/apputils';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { Kernel, KernelMessage } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { Debouncer } from '@lumino/polling';
import { type ISignal, Signal } from '@lumino/signaling';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDiagnostic, ILiveValue, IPipeline } from '../../api';
import type { ICompiler, ILiveValues } from '../../tokens';
import { bytes } from '../../ui/time';

/** How long a kernel is idle before it is asked, in milliseconds: whoever executes many cells comes first. */
const PAUSE = 300;
// As many as can be asked about at once.
const MOST_NAMES = 500;

/** The names of the values that steps hand to each other, in the notebook's order. */
export function crossing(pipeline: IPipeline): string[] {
  const names = pipeline.steps.flatMap(step =>
    step.inputs.map(input => input.name)
  );
  return [...new Set(names)].slice(0, MOST_NAMES);
}

/** `DataFrame, 336,776 × 19, 51 MB`. */
export function inWords({ type, summary, size }: ILiveValue): string {
  return [type, summary, size === null ? '' : bytes(size)]
    .filter(part => part !== '')
    .join(', ');
}

/** The values that cannot cross their edges, as the kernel has them: told before anything runs. */
export function notCarried(
  pipeline: IPipeline,
  values: ReadonlyMap<string, ILiveValue>,
  trans: TranslationBundle
): IDiagnostic[] {
  const found = new Map<string, IDiagnostic>();
  for (const { kind, name, source, target, written } of pipeline.edges) {
    const value = values.get(name);
    // What the compiler knows by itself it tells by itself.
    const known = pipeline.diagnostics.some(
      ({ severity, message }) =>
        severity === 'error' && message.includes(`\`${name}\``)
    );
    const key = `${source} ${name}`;
    if (
      kind === 'value' &&
      value?.carried === false &&
      written &&
      !known &&
      !found.has(key)
    ) {
      found.set(key, {
        code: '',
        severity: 'warning',
        message: trans.__(
          '`%1` cannot be handed from %2 to %3: it is %4.',
          name,
          source,
          target,
          value.reason
        ),
        fix: '',
        location: written,
        step: source
      });
    }
  }
  return [...found.values()];
}

function isIdle({ status }: Kernel.IKernelConnection): boolean {
  return status === 'idle';
}

/** The answer to a silent request; `null` when there is none. */
async function ask(
  kernel: Kernel.IKernelConnection,
  expression: string
): Promise<Record<string, ILiveValue> | null> {
  const future = kernel.requestExecute(
    {
      code: '',
      silent: true,
      store_history: false,
      allow_stdin: false,
      stop_on_error: false,
      user_expressions: { values: expression }
    },
    true
  );
  const { content } = await future.done;
  if (content.status !== 'ok') {
    return null;
  }
  const answer = content.user_expressions.values as
    { status: string; data?: Record<string, unknown> } | undefined;
  const shown = answer?.data?.['application/json'];
  return (shown as Record<string, ILiveValue> | undefined) ?? null;
}

/** See {@link ILiveValues}. */
export class LiveValues implements ILiveValues, IDisposable {
  constructor(
    private readonly _compiler: ICompiler,
    private readonly _inspection: (names: readonly string[]) => Promise<string>,
    pause = PAUSE
  ) {
    this._debouncer = new Debouncer(() => this._ask(), pause);
    _compiler.changed.connect(this._onCompiled, this);
    this._onCompiled();
  }

  get values(): ReadonlyMap<string, ILiveValue> {
    return this._values;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      this._follow(null);
      this._debouncer.dispose();
      Signal.clearData(this);
    }
  }

  private _onCompiled(): void {
    const { notebook, pipeline } = this._compiler.current;
    this._follow(notebook);
    const names = pipeline ? crossing(pipeline) : [];
    const unknown = names.some(name => !this._names.includes(name));
    this._names = names;
    if (unknown) {
      this._soon();
    }
  }

  private _follow(notebook: NotebookPanel | null): void {
    const session = notebook?.sessionContext ?? null;
    if (session === this._session) {
      return;
    }
    this._session?.iopubMessage.disconnect(this._onMessage, this);
    this._session?.statusChanged.disconnect(this._onStatus, this);
    this._session?.kernelChanged.disconnect(this._onKernel, this);
    this._session = session;
    this._names = [];
    this._forget();
    session?.iopubMessage.connect(this._onMessage, this);
    session?.statusChanged.connect(this._onStatus, this);
    session?.kernelChanged.connect(this._onKernel, this);
  }

  // Silent requests, such as ours, are not told to others: only what a person executes is.
  private _onMessage(_: unknown, message: KernelMessage.IMessage): void {
    if (message.header.msg_type === 'execute_input') {
      this._executed = true;
    }
  }

  private _onStatus(_: unknown, status: Kernel.Status): void {
    if (status === 'idle' && this._executed) {
      this._soon();
    } else if (status === 'restarting' || status === 'dead') {
      this._forget();
    }
  }

  private _onKernel(): void {
    this._forget();
    this._soon();
  }

  private _forget(): void {
    this._executed = true;
    if (this._values.size > 0) {
      this._values = new Map();
      this._changed.emit();
    }
  }

  private _soon(): void {
    void this._debouncer.invoke().catch(() => undefined);
  }

  /** Ask, unless the kernel is at work: when it has done, it will be. Never rejects. */
  private async _ask(): Promise<void> {
    const session = this._session;
    const kernel = session?.session?.kernel;
    const names = this._names;
    if (!session || !kernel || names.length === 0 || !isIdle(kernel)) {
      return;
    }
    this._executed = false;
    try {
      const { language_info: language } = await kernel.info;
      if (language.name !== 'python') {
        return;
      }
      const key = names.join();
      if (key !== this._asked) {
        this._expression = await this._inspection(names);
        this._asked = key;
      }
      // Meanwhile somebody may have executed something.
      if (!isIdle(kernel)) {
        this._executed = true;
        return;
      }
      const answer = await ask(kernel, this._expression);
      if (answer && session === this._session) {
        this._values = new Map(Object.entries(answer));
        this._changed.emit();
      }
    } catch {
      // Without it nothing is wrong: it is known a little later, when the pipeline runs.
    }
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _debouncer: Debouncer;
  private _asked = '';
  private _executed = true;
  private _expression = '';
  private _isDisposed = false;
  private _names: readonly string[] = [];
  private _session: ISessionContext | null = null;
  private _values: ReadonlyMap<string, ILiveValue> = new Map();
}
