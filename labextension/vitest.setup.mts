// What browsers have and jsdom has not, as far as JupyterLab's modules touch it when they are loaded.
class Observer {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
}
const missing: Record<string, unknown> = {
  DragEvent: class extends MouseEvent {},
  IntersectionObserver: Observer,
  ResizeObserver: Observer,
  matchMedia: () => ({
    matches: false,
    addEventListener: () => undefined,
    removeEventListener: () => undefined
  })
};
for (const [name, stand] of Object.entries(missing)) {
  (globalThis as Record<string, unknown>)[name] ??= stand;
}
