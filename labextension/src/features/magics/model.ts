/** Loading `%pipeline` into kernels, where the user allows it. */
import type { ISessionContext } from '@jupyterlab/apputils';

/** Says nothing where the package is not in the kernel's environment. */
const LOAD = `try:
    get_ipython().extension_manager.load_extension("jupyter_pipelines")
except Exception:
    pass`;

/** Load the magics into the kernel that this session has now, if it is Python and they are `allowed`. */
export async function loadMagics(
  session: ISessionContext,
  allowed: () => boolean
): Promise<void> {
  const kernel = session.session?.kernel;
  if (!kernel || !allowed()) {
    return;
  }
  const { language_info: language } = await kernel.info;
  if (language.name === 'python' && !kernel.isDisposed) {
    await kernel.requestExecute({
      code: LOAD,
      silent: true,
      store_history: false,
      allow_stdin: false
    }).done;
  }
}
