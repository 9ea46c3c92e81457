/** Something the server knows, kept as it is there while somebody looks at it. */
import { DisposableDelegate, type IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';
import { type ApiError, asApiError, type IEvent } from '../../api';
import type { ILive } from '../../tokens';
import type { EventStream } from './events';

/** Events come in bursts; one question answers them all. Milliseconds. */
const GATHER = 50;

/** See {@link ILive}. */
export class Live<T> implements ILive<T>, IDisposable {
  constructor(options: Live.IOptions<T>) {
    this._fetch = options.fetch;
    this._concerns = options.concerns;
    this._events = options.events;
  }

  get value(): T | null {
    return this._value;
  }

  get error(): ApiError | null {
    return this._error;
  }

  get asOf(): Date | null {
    return this._asOf;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  use(): IDisposable {
    this._users += 1;
    if (this._users === 1) {
      this._held = this._events.hold();
      this._events.received.connect(this._onEvent, this);
      void this.refresh();
    }
    return new DisposableDelegate(() => {
      this._users -= 1;
      if (this._users === 0) {
        this._rest();
      }
    });
  }

  async refresh(): Promise<void> {
    window.clearTimeout(this._gathering);
    this._abort?.abort();
    const abort = (this._abort = new AbortController());
    try {
      const value = await this._fetch(abort.signal);
      if (!abort.signal.aborted) {
        this.set(value);
      }
    } catch (error) {
      if (!abort.signal.aborted) {
        this._error = asApiError(error);
        this._changed.emit();
      }
    }
  }

  set(value: T): void {
    this._value = value;
    this._error = null;
    this._asOf = new Date();
    this._changed.emit();
  }

  dispose(): void {
    this._isDisposed = true;
    this._rest();
    Signal.clearData(this);
  }

  private _rest(): void {
    window.clearTimeout(this._gathering);
    this._abort?.abort();
    this._events.received.disconnect(this._onEvent, this);
    this._held?.dispose();
    this._held = null;
  }

  private _onEvent(_: EventStream, event: IEvent): void {
    // After `hello` and `reset` anything may be different.
    const any = event.kind === 'hello' || event.kind === 'reset';
    if (any || this._concerns(event)) {
      window.clearTimeout(this._gathering);
      this._gathering = window.setTimeout(() => {
        void this.refresh();
      }, GATHER);
    }
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _concerns: (event: IEvent) => boolean;
  private readonly _events: EventStream;
  private readonly _fetch: (signal: AbortSignal) => Promise<T>;
  private _abort: AbortController | null = null;
  private _asOf: Date | null = null;
  private _error: ApiError | null = null;
  private _gathering = 0;
  private _held: IDisposable | null = null;
  private _isDisposed = false;
  private _users = 0;
  private _value: T | null = null;
}

export namespace Live {
  export interface IOptions<T> {
    fetch: (signal: AbortSignal) => Promise<T>;
    /** May the value be another after this event? */
    concerns: (event: IEvent) => boolean;
    events: EventStream;
  }
}
