/** The server's WebSocket of events: open while somebody needs it, and open again by itself. */
import type { ServerConnection } from '@jupyterlab/services';
import { URLExt } from '@jupyterlab/coreutils';
import { DisposableDelegate, type IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';
import { address, type IEvent } from '../../api';

const FIRST_WAIT = 1000;
const LONGEST_WAIT = 30_000;

/** What a WebSocket is to us; injected, so that it can be tested without a server. */
export type Connect = (url: string) => WebSocket;

/** Tells what changes on the server. Nothing is missed: who comes back is told what happened meanwhile. */
export class EventStream implements IDisposable {
  constructor(
    private readonly _settings: ServerConnection.ISettings,
    private readonly _connect: Connect = url => new _settings.WebSocket(url)
  ) {}

  /** Is the server heard? False also before it was first asked. */
  get connected(): boolean {
    return this._connected;
  }

  get connectedChanged(): ISignal<this, boolean> {
    return this._connectedChanged;
  }

  get received(): ISignal<this, IEvent> {
    return this._received;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Keep the connection until the answer is disposed. */
  hold(): IDisposable {
    this._holders += 1;
    if (this._holders === 1) {
      this._open();
    }
    return new DisposableDelegate(() => {
      this._holders -= 1;
      if (this._holders === 0) {
        this._close();
      }
    });
  }

  /** As if anything might be another. */
  renew(): void {
    this._received.emit({
      id: this._last,
      kind: 'reset',
      subject: '',
      notebook: null,
      time: Date.now() / 1000,
      data: null
    });
  }

  dispose(): void {
    this._isDisposed = true;
    this._close();
    Signal.clearData(this);
  }

  private _open(): void {
    window.clearTimeout(this._retry);
    if (this._isDisposed || this._holders === 0 || this._socket) {
      return;
    }
    const { wsUrl, token, appendToken } = this._settings;
    let url = address(wsUrl, 'events', { since: this._last || undefined });
    if (appendToken && token !== '') {
      url += `${url.includes('?') ? '&' : '?'}${URLExt.objectToQueryString({ token }).slice(1)}`;
    }
    const socket = (this._socket = this._connect(url));
    socket.onmessage = (message: MessageEvent<string>) => {
      this._onMessage(JSON.parse(message.data) as IEvent);
    };
    socket.onclose = () => {
      this._socket = null;
      this._setConnected(false);
      this._retry = window.setTimeout(() => {
        this._open();
      }, this._wait);
      this._wait = Math.min(2 * this._wait, LONGEST_WAIT);
    };
  }

  private _onMessage(event: IEvent): void {
    this._last = event.id;
    this._wait = FIRST_WAIT;
    this._setConnected(true);
    this._received.emit(event);
  }

  private _close(): void {
    window.clearTimeout(this._retry);
    if (this._socket) {
      this._socket.onclose = null;
      this._socket.onmessage = null;
      this._socket.close();
      this._socket = null;
    }
    this._setConnected(false);
  }

  private _setConnected(connected: boolean): void {
    if (connected !== this._connected) {
      this._connected = connected;
      this._connectedChanged.emit(connected);
    }
  }

  private readonly _received = new Signal<this, IEvent>(this);
  private readonly _connectedChanged = new Signal<this, boolean>(this);
  private _connected = false;
  private _holders = 0;
  private _isDisposed = false;
  private _last = '';
  private _retry = 0;
  private _socket: WebSocket | null = null;
  private _wait = FIRST_WAIT;
}
