import type { ISessionContext } from '@jupyterlab/apputils';
import { describe, expect, it, vi } from 'vitest';
import { loadMagics } from './model';

function sessionOf(language: string) {
  const requestExecute = vi.fn(() => ({ done: Promise.resolve() }));
  const kernel = {
    info: Promise.resolve({ language_info: { name: language } }),
    isDisposed: false,
    requestExecute
  };
  return {
    session: { session: { kernel } } as unknown as ISessionContext,
    requestExecute
  };
}

describe('loading the magics', () => {
  it('runs silently in a Python kernel, and leaves no history', async () => {
    const { session, requestExecute } = sessionOf('python');
    await loadMagics(session, () => true);
    expect(requestExecute).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ silent: true, store_history: false })
    );
  });

  it('does nothing unless it is allowed, in other languages, or without a kernel', async () => {
    const python = sessionOf('python');
    await loadMagics(python.session, () => false);
    const julia = sessionOf('julia');
    await loadMagics(julia.session, () => true);
    await loadMagics(
      { session: null } as unknown as ISessionContext,
      () => true
    );
    expect(python.requestExecute).not.toHaveBeenCalled();
    expect(julia.requestExecute).not.toHaveBeenCalled();
  });
});
