/** The traceback of a failed step, from the executed notebook, in the colours that the kernel gave it. */
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { renderText } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { JSONObject } from '@lumino/coreutils';
import * as React from 'react';
import type { IRun, IRunStep } from '../../api';
import type { IRecords } from '../../tokens';
import { ErrorNotice } from '../../ui';

interface IErrorOutput {
  output_type: string;
  ename?: string;
  evalue?: string;
  traceback?: string[];
}

/** The traceback in an executed notebook that belongs to an error of a step; the first one when none is like it. */
export function tracebackOf(content: JSONObject, error: string): string {
  const cells = (content.cells ?? []) as { outputs?: IErrorOutput[] }[];
  const errors = cells
    .flatMap(cell => cell.outputs ?? [])
    .filter(output => output.output_type === 'error');
  const own = errors.find(output =>
    error.startsWith(
      `${output.ename ?? ''}: ${(output.evalue ?? '').split('\n')[0] ?? ''}`
    )
  );
  return ((own ?? errors[0])?.traceback ?? []).join('\n');
}

function Rendered(props: {
  text: string;
  rendermime: IRenderMimeRegistry;
}): React.JSX.Element {
  const { text, rendermime } = props;
  const host = React.useRef<HTMLDivElement>(null);
  React.useEffect(() => {
    if (host.current) {
      void renderText({
        host: host.current,
        sanitizer: rendermime.sanitizer,
        source: text
      });
    }
  }, [text, rendermime]);
  return (
    <div
      ref={host}
      className="jp-Pipelines-traceback jp-RenderedText"
      tabIndex={0}
    />
  );
}

export function Traceback(props: {
  run: IRun;
  step: IRunStep;
  records: IRecords;
  rendermime: IRenderMimeRegistry;
  trans: TranslationBundle;
}): React.JSX.Element | null {
  const { run, step, records, rendermime, trans } = props;
  const [text, setText] = React.useState<string | null>(null);
  const [error, setError] = React.useState<unknown>(null);
  const { id, ended } = run;
  React.useEffect(() => {
    let wanted = true;
    records.api.runNotebook(id).then(
      ({ content }) => {
        if (wanted) {
          setText(tracebackOf(content, step.error));
        }
      },
      (reason: unknown) => {
        if (wanted) {
          setError(reason);
        }
      }
    );
    return () => {
      wanted = false;
    };
  }, [records, id, ended, step.error]);
  if (error) {
    return <ErrorNotice error={error} />;
  }
  if (!text) {
    return null;
  }
  return (
    <section>
      <h3>{trans.__('Traceback')}</h3>
      <Rendered text={text} rendermime={rendermime} />
    </section>
  );
}
