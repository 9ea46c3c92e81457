import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [
    {
      // Icons and styles are of no interest here, and not JavaScript.
      name: 'no-assets',
      enforce: 'pre',
      load: id =>
        /\.(svg|css)(\?|$)/.test(id)
          ? `export default '<svg xmlns="http://www.w3.org/2000/svg"></svg>'`
          : undefined
    }
  ],
  test: {
    environment: 'jsdom',
    globals: true,
    include: ['src/**/*.spec.{ts,tsx}'],
    setupFiles: ['./vitest.setup.mts'],
    // One environment for all files: loading JupyterLab is most of the time.
    isolate: false,
    maxWorkers: 1,
    // Yjs complains of how Jupyter's shared models make their cells.
    onConsoleLog: text => !/yjs#509|Add Yjs type to a document/.test(text),
    server: {
      deps: {
        // Their modules import styles, or are not quite ES modules.
        inline: [
          /@jupyter\//,
          /@jupyterlab\//,
          /@lumino\//,
          /@codemirror\//,
          /@lezer\//,
          /lib0/,
          /y-protocols/,
          /yjs/
        ]
      }
    }
  }
});
