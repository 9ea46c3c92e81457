/** The tables that a notebook builds: each column, and what it is made of. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { JSONObject } from '@lumino/coreutils';
import * as React from 'react';
import type { ILineage, ILineageBox } from '../../api';
import { CommandIDs } from '../../tokens';
import { Section } from '../../ui';
import { withoutOutputs } from '../compilation/model';
import type { ISectionProps } from '../panel/context';

// Of typing, before what is drawn is asked for again.
const PAUSE = 400;

type Ask = (
  name: string,
  notebook: JSONObject,
  signal: AbortSignal
) => Promise<ILineage>;

const Box = React.memo(function Box(props: {
  box: ILineageBox;
  row: number;
}): React.JSX.Element {
  const { box, row } = props;
  return (
    <g className={box.built ? 'jp-mod-built' : ''}>
      <rect x={box.x} y={box.y} width={box.width} height={box.height} rx={6} />
      {[box.name, ...box.rows].map((text, index) => (
        <text
          key={index}
          x={box.x + 8}
          y={box.y + (index + 1) * row - 2}
          className={index === 0 ? 'jp-Pipelines-tableName' : ''}
        >
          {text}
        </text>
      ))}
    </g>
  );
});

/** Tables from left to right, a line from each column to those that are made of it. */
export function LineagePicture(props: {
  lineage: ILineage;
}): React.JSX.Element {
  const { picture } = props.lineage;
  const { width, height } = picture;
  return (
    <svg
      className="jp-Pipelines-lineage"
      role="img"
      aria-label={picture.summary}
      viewBox={`0 0 ${width} ${height}`}
      width={width}
      height={height}
    >
      {picture.lines.map((line, index) => (
        <path
          key={index}
          d={line.path}
          className={line.certain ? '' : 'jp-mod-possible'}
        >
          <title>{line.title}</title>
        </path>
      ))}
      {picture.boxes.map(box => (
        <Box key={box.name} box={box} row={picture.row} />
      ))}
    </svg>
  );
}

/** What the picture shows, in words. */
export function LineageList(props: {
  lineage: ILineage;
  onPick: (cell: number) => void;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { lineage, onPick, trans } = props;
  return (
    <ul className="jp-Pipelines-tables">
      {lineage.tables.map((table, index) => (
        <li key={index}>
          <button
            type="button"
            className="jp-Pipelines-tableName"
            title={trans.__('Go to the cell that builds it')}
            onClick={() => {
              onPick(table.cell);
            }}
          >
            {table.name}
          </button>{' '}
          <span className="jp-Pipelines-from">
            {table.reads.length > 0
              ? trans.__('%1, of %2', table.how, table.reads.join(', '))
              : table.how}
          </span>
        </li>
      ))}
    </ul>
  );
}

/** Ask for what the notebook's tables are made of while `wanted`, and again when it has changed. */
function useLineage(
  props: ISectionProps,
  wanted: boolean,
  ask: Ask
): { lineage: ILineage | null; error: string } {
  const { compiler, pipeline } = props;
  const [state, setState] = React.useState<{
    lineage: ILineage | null;
    error: string;
  }>({ lineage: null, error: '' });
  React.useEffect(() => {
    const notebook = compiler.current.notebook;
    if (!wanted || !notebook?.model) {
      return;
    }
    const content = withoutOutputs(notebook.model);
    const name = notebook.context.path.split('/').pop() ?? '';
    const abort = new AbortController();
    const timer = window.setTimeout(() => {
      ask(name, content, abort.signal).then(
        lineage => {
          if (!abort.signal.aborted) {
            setState({ lineage, error: '' });
          }
        },
        (reason: unknown) => {
          if (!abort.signal.aborted) {
            const error = reason instanceof Error ? reason.message : '';
            setState(before => ({ ...before, error }));
          }
        }
      );
    }, PAUSE);
    return () => {
      window.clearTimeout(timer);
      abort.abort();
    };
  }, [compiler, pipeline, wanted, ask]);
  return state;
}

export function Tables(props: ISectionProps): React.JSX.Element | null {
  const { pipeline, records, commands, trans } = props;
  const [open, setOpen] = React.useState(false);
  const ask = React.useCallback<Ask>(
    (name, notebook, signal) => records.api.lineage(name, notebook, signal),
    [records]
  );
  const { lineage, error } = useLineage(props, open, ask);
  const built = new Set(
    pipeline.steps.flatMap(({ tables_written }) => tables_written ?? [])
  );
  if (built.size === 0) {
    return null;
  }
  return (
    <Section
      title={trans.__('Tables')}
      name="tables"
      count={built.size}
      collapsed
      onToggle={setOpen}
    >
      {error && <p className="jp-Pipelines-hint">{error}</p>}
      {lineage && (
        <>
          <div
            className="jp-Pipelines-lineageFrame"
            role="region"
            aria-label={trans.__('What tables are made of')}
            tabIndex={0}
          >
            <LineagePicture lineage={lineage} />
          </div>
          <LineageList
            lineage={lineage}
            onPick={cell => {
              void commands.execute(CommandIDs.goToCell, { cell });
            }}
            trans={trans}
          />
        </>
      )}
    </Section>
  );
}
