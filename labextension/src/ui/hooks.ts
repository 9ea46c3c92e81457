/** React on top of Lumino's signals. */
import type { ISignal } from '@lumino/signaling';
import * as React from 'react';
import type { ILive } from '../tokens';
import { shared } from './shared';

/** Draw again whenever one of these tells of a change. */
export function useSignals(...signals: ISignal<unknown, unknown>[]): void {
  const [, draw] = React.useReducer((count: number) => count + 1, 0);
  React.useEffect(() => {
    const slot = (): void => {
      draw();
    };
    for (const signal of signals) {
      signal.connect(slot);
    }
    return () => {
      for (const signal of signals) {
        signal.disconnect(slot);
      }
    };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the signals are what it depends on, one by one
  }, signals);
}

/** Keep something of the server's as it is there while the component is shown, and draw it again when it changes. */
export function useLive<T>(live: ILive<T>): ILive<T> {
  useSignals(live.changed);
  React.useEffect(() => {
    const used = live.use();
    return () => {
      used.dispose();
    };
  }, [live]);
  return live;
}

/** The same object for as long as what it says is the same; and so its parts. */
export function useShared<T>(value: T): T {
  const last = React.useRef<T>(value);
  last.current = shared(last.current, value);
  return last.current;
}

/** The time, each second while something is `ticking`. */
export function useNow(ticking: boolean): Date {
  const [now, setNow] = React.useState(() => new Date());
  React.useEffect(() => {
    setNow(new Date());
    if (!ticking) {
      return;
    }
    const timer = window.setInterval(() => {
      setNow(new Date());
    }, 1000);
    return () => {
      window.clearInterval(timer);
    };
  }, [ticking]);
  return now;
}

/** What a button does: `start` it, and know whether it still goes on or what went wrong. */
export interface IAction {
  readonly busy: boolean;
  /** What went wrong last; `null` when nothing did. */
  readonly error: unknown;
  start: (work: () => Promise<unknown>) => void;
  /** Forget what went wrong. */
  clear: () => void;
}

/** One thing at a time: while it goes on, starting another does nothing. */
export function useAction(): IAction {
  const [state, setState] = React.useState<{ busy: boolean; error: unknown }>({
    busy: false,
    error: null
  });
  const busy = React.useRef(false);
  const start = React.useCallback((work: () => Promise<unknown>) => {
    if (busy.current) {
      return;
    }
    busy.current = true;
    setState({ busy: true, error: null });
    const end = (error: unknown): void => {
      busy.current = false;
      setState({ busy: false, error });
    };
    work().then(() => {
      end(null);
    }, end);
  }, []);
  const clear = React.useCallback(() => {
    setState({ busy: busy.current, error: null });
  }, []);
  return { ...state, start, clear };
}
