import type { ServerConnection } from '@jupyterlab/services';
import { ApiError, type IEvent } from '../../api';
import { EventStream } from './events';
import { Live } from './live';

/** The server's end of the WebSockets that were opened. */
class Sockets {
  readonly urls: string[] = [];
  readonly open: WebSocket[] = [];

  connect = (url: string): WebSocket => {
    this.urls.push(url);
    const socket = {
      onmessage: null,
      onclose: null,
      close: vi.fn()
    } as unknown as WebSocket;
    this.open.push(socket);
    return socket;
  };

  say(event: Partial<IEvent>): void {
    const data = JSON.stringify({ id: 'e-1-2', kind: 'hello', ...event });
    const socket = this.open.at(-1);
    socket?.onmessage?.call(socket, new MessageEvent('message', { data }));
  }

  drop(): void {
    const socket = this.open.at(-1);
    socket?.onclose?.call(socket, new CloseEvent('close'));
  }
}

const SETTINGS = {
  wsUrl: 'ws://lab/',
  token: 'a&b',
  appendToken: true
} as ServerConnection.ISettings;

function stream(): { sockets: Sockets; events: EventStream } {
  const sockets = new Sockets();
  return { sockets, events: new EventStream(SETTINGS, sockets.connect) };
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe('the stream of events', () => {
  it('is open while somebody holds it', () => {
    const { sockets, events } = stream();
    expect(sockets.urls).toEqual([]);
    const first = events.hold();
    const second = events.hold();
    expect(sockets.urls).toEqual([
      'ws://lab/jupyter-pipelines/api/events?token=a%26b'
    ]);
    sockets.say({});
    expect(events.connected).toBe(true);
    first.dispose();
    expect(events.connected).toBe(true);
    second.dispose();
    expect(events.connected).toBe(false);
    expect(sockets.open[0]!.close).toHaveBeenCalled();
  });

  it('comes back by itself, and asks for what it missed', async () => {
    const { sockets, events } = stream();
    const states: boolean[] = [];
    events.connectedChanged.connect((_, connected) => states.push(connected));
    events.hold();
    sockets.say({ id: 'e-7-8' });
    sockets.drop();
    await vi.advanceTimersByTimeAsync(1000);
    expect(sockets.urls[1]).toContain('since=e-7-8');
    sockets.drop();
    await vi.advanceTimersByTimeAsync(1000);
    expect(sockets.urls).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1000);
    expect(sockets.urls).toHaveLength(3);
    sockets.say({});
    expect(states).toEqual([true, false, true]);
    events.dispose();
  });
});

describe('a live value', () => {
  function live(fetch: (signal: AbortSignal) => Promise<number>): {
    sockets: Sockets;
    value: Live<number>;
  } {
    const { sockets, events } = stream();
    const concerns = (event: IEvent): boolean => event.kind === 'run';
    return { sockets, value: new Live({ fetch, concerns, events }) };
  }

  it('is asked for when it is used, and after events that concern it', async () => {
    let count = 0;
    const { sockets, value } = live(() => Promise.resolve((count += 1)));
    expect(sockets.urls).toEqual([]);
    const used = value.use();
    await vi.advanceTimersByTimeAsync(0);
    expect(value.value).toBe(1);
    sockets.say({ kind: 'run' });
    sockets.say({ kind: 'run' });
    sockets.say({ kind: 'alert' });
    await vi.advanceTimersByTimeAsync(100);
    expect(value.value).toBe(2);
    sockets.say({ kind: 'hello' });
    await vi.advanceTimersByTimeAsync(100);
    expect(value.value).toBe(3);
    used.dispose();
    sockets.say({ kind: 'run' });
    await vi.advanceTimersByTimeAsync(100);
    expect(value.value).toBe(3);
  });

  it('keeps the last good answer, dated, when it cannot be had', async () => {
    const fetch = vi
      .fn<() => Promise<number>>()
      .mockResolvedValueOnce(1)
      .mockRejectedValueOnce(new ApiError('gone', 'start it'));
    const { value } = live(fetch);
    value.use();
    await vi.advanceTimersByTimeAsync(0);
    const { asOf } = value;
    await value.refresh();
    expect(value.value).toBe(1);
    expect(value.asOf).toBe(asOf);
    expect(value.error).toMatchObject({ message: 'gone', fix: 'start it' });
    value.set(2);
    expect(value.error).toBeNull();
  });

  it('never takes an older answer for a newer one', async () => {
    const answers: ((value: number) => void)[] = [];
    const { value } = live(() => new Promise(resolve => answers.push(resolve)));
    value.use();
    void value.refresh();
    answers[1]!(2);
    answers[0]!(1);
    await vi.advanceTimersByTimeAsync(0);
    expect(value.value).toBe(2);
  });
});
