import type { ISessionContext } from '@jupyterlab/apputils';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';
import { describe, expect, it } from 'vitest';
import { ViewRenderer } from './renderer';

const WIDGET = 'application/vnd.jupyter.widget-view+json';
const MODEL = {
  data: { [WIDGET]: { model_id: 'm1' }, 'text/html': '<p>kept</p>' }
} as never;

/** A kernel that has these comms: `here` are known to the page, `there` only to the kernel. */
function session(here: string[], there: string[]) {
  const kernel = {
    hasComm: (id: string) => here.includes(id),
    requestCommInfo: () =>
      Promise.resolve({
        content: {
          status: 'ok',
          comms: Object.fromEntries(there.map(id => [id, {}]))
        }
      })
  };
  const made = { session: { kernel } } as unknown as ISessionContext;
  return Object.assign(made, {
    kernelChanged: new Signal<ISessionContext, never>(made),
    statusChanged: new Signal<ISessionContext, string>(made)
  });
}

/** Shows by which renderer something is shown. */
const rendermime = {
  createRenderer: (type: string) =>
    Object.assign(new Widget(), {
      renderModel: function (this: Widget) {
        this.node.textContent = type;
        return Promise.resolve();
      }
    })
} as unknown as IRenderMimeRegistry;

async function shown(context: ReturnType<typeof session>) {
  const made = new ViewRenderer(context, rendermime);
  await made.renderModel(MODEL);
  return made;
}

describe('a view of runs', () => {
  it('is the widget that the kernel has, also after the page was loaded again', async () => {
    expect((await shown(session(['m1'], []))).node.textContent).toBe(WIDGET);
    expect((await shown(session([], ['m1']))).node.textContent).toBe(WIDGET);
  });

  it('is HTML without a kernel, and with one that does not know it', async () => {
    expect((await shown(session([], ['m2']))).node.textContent).toBe(
      'text/html'
    );
    const none = Object.assign(session([], []), { session: null });
    expect((await shown(none)).node.textContent).toBe('text/html');
  });

  it('becomes HTML when the kernel is restarted', async () => {
    const context = session(['m1'], ['m1']);
    const view = await shown(context);
    context.statusChanged.emit('busy');
    expect(view.node.textContent).toBe(WIDGET);
    context.statusChanged.emit('restarting');
    await Promise.resolve();
    expect(view.node.textContent).toBe('text/html');
  });
});
