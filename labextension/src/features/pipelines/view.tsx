/** Every pipeline below the server's root directory, in the main area. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, runIcon, searchIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import type { IPipelineSummary, PipelineState } from '../../api';
import { pipelineIcon, scheduleIcon } from '../../icons';
import { CommandIDs, type IRecords } from '../../tokens';
import { showFiles } from '../../ui/page';
import {
  Button,
  IconButton,
  instant,
  LinkButton,
  moment,
  relative,
  StaleNotice,
  StateChip,
  Switch,
  toneOf,
  useLive,
  wordOf,
  wordOfPipeline
} from '../../ui';
import {
  chosen,
  counts,
  type ISort,
  lastRun,
  rowsSeen,
  type SortKey
} from './model';

/** The height of a row, in pixels; the same in `pipelines.css`. */
const ROW = 44;

export interface IPipelinesOptions {
  records: IRecords;
  commands: CommandRegistry;
  trans: TranslationBundle;
}

/** The last runs, the newest at the right; each leads to its page. */
function Strip(
  props: IPipelinesOptions & { pipeline: IPipelineSummary }
): React.JSX.Element {
  const { pipeline, commands, trans } = props;
  const runs = [...pipeline.last_runs].slice(0, 12).reverse();
  const words = runs.map(run => wordOf(run.state, trans));
  return (
    <span
      className="jp-Pipelines-strip"
      role="img"
      aria-label={
        runs.length > 0
          ? trans.__('Last runs, the newest last: %1', words.join(', '))
          : trans.__('No runs yet')
      }
    >
      {runs.map((run, index) => {
        const started = instant(run.started);
        return (
          <span
            key={run.id}
            data-tone={toneOf(run.state)}
            title={`${words[index] ?? ''}${started ? ` · ${moment(started)}` : ''}`}
            onClick={() => {
              void commands.execute(CommandIDs.openRun, { run: run.id });
            }}
          />
        );
      })}
    </span>
  );
}

const Row = React.memo(function Row(
  props: IPipelinesOptions & { pipeline: IPipelineSummary; index: number }
): React.JSX.Element {
  const { pipeline, index, commands, trans } = props;
  const { notebook, state, missing, schedules, triggers } = pipeline;
  const path = { path: notebook };
  const next = pipeline.next === null ? null : new Date(pipeline.next);
  const last = instant(lastRun(pipeline));
  const open = (section: string): Promise<unknown> =>
    commands.execute(CommandIDs.openNotebook, { ...path, section });
  const folder = notebook.split('/').slice(0, -1).join('/');
  const word = missing
    ? trans.__('File is gone')
    : wordOfPipeline(state, pipeline.last_runs[0]?.state, trans);
  return (
    <tr aria-rowindex={index + 2}>
      <th scope="row">
        <LinkButton
          title={notebook}
          onClick={() => {
            void (missing
              ? commands.execute(CommandIDs.relink, path)
              : open('runs'));
          }}
        >
          {pipeline.name || notebook}
        </LinkButton>
        <span className="jp-Pipelines-hint">
          {missing ? trans.__('moved or deleted · Relink…') : folder}
        </span>
      </th>
      <td title={pipeline.problem ? `${word}: ${pipeline.problem}` : word}>
        <StateChip
          state={missing ? 'offline' : state}
          word={word}
          trans={trans}
        />
        {pipeline.problem && (
          <span className="jp-Pipelines-hint">{pipeline.problem}</span>
        )}
      </td>
      <td>
        <Strip {...props} />
      </td>
      <td title={last ? moment(last) : undefined}>
        {last ? relative(last) : trans.__('never')}
      </td>
      <td title={next ? moment(next) : undefined}>
        {next ? relative(next) : '–'}
      </td>
      <td>{pipeline.owner}</td>
      <td>{pipeline.version?.label ?? '–'}</td>
      <td className="jp-Pipelines-rowButtons">
        {schedules + triggers > 0 && (
          <Switch
            label={
              state === 'paused'
                ? trans.__('Let %1 run again', notebook)
                : trans.__('Pause %1', notebook)
            }
            checked={state !== 'paused'}
            onChange={active => {
              void commands.execute(CommandIDs.pause, {
                ...path,
                paused: !active
              });
            }}
          />
        )}
        <IconButton
          icon={scheduleIcon}
          label={
            schedules + triggers > 0
              ? trans.__('Schedules of %1', notebook)
              : trans.__('Schedule %1', notebook)
          }
          disabled={missing}
          onClick={() => {
            void (schedules + triggers > 0
              ? open('schedules')
              : commands.execute(CommandIDs.schedule, path));
          }}
        />
        <IconButton
          icon={runIcon}
          label={trans.__('Run %1 now', notebook)}
          disabled={missing}
          onClick={() => {
            void commands.execute(CommandIDs.run, path);
          }}
        />
      </td>
    </tr>
  );
});

/** What is seen of a scrolled element. */
function useSeen(element: React.RefObject<HTMLElement>): {
  top: number;
  height: number;
} {
  const [seen, setSeen] = React.useState({ top: 0, height: 800 });
  React.useEffect(() => {
    const node = element.current;
    if (!node) {
      return;
    }
    const look = (): void => {
      setSeen({ top: node.scrollTop, height: node.clientHeight || 800 });
    };
    const observer = new ResizeObserver(look);
    observer.observe(node);
    node.addEventListener('scroll', look, { passive: true });
    return () => {
      observer.disconnect();
      node.removeEventListener('scroll', look);
    };
  }, [element]);
  return seen;
}

function Table(
  props: IPipelinesOptions & {
    pipelines: readonly IPipelineSummary[];
    sort: ISort;
    onSort: (key: SortKey) => void;
  }
): React.JSX.Element {
  const { pipelines, sort, onSort, records, commands, trans } = props;
  const frame = React.useRef<HTMLDivElement>(null);
  const { first, end } = rowsSeen(useSeen(frame), ROW, pipelines.length);
  const heads: [SortKey | null, string][] = [
    ['name', trans.__('Pipeline')],
    ['state', trans.__('State')],
    [null, trans.__('Last runs')],
    ['last', trans.__('Last run')],
    ['next', trans.__('Next run')],
    ['owner', trans.__('Owner')],
    ['version', trans.__('Version')]
  ];
  const space = (rows: number): React.JSX.Element | null =>
    rows > 0 ? (
      <tr aria-hidden="true" style={{ height: `${rows * ROW}px` }} />
    ) : null;
  return (
    <div className="jp-Pipelines-tableFrame" ref={frame} tabIndex={-1}>
      <table
        className="jp-Pipelines-table"
        aria-label={trans.__('Pipelines')}
        aria-rowcount={pipelines.length + 1}
      >
        <thead>
          <tr>
            {heads.map(([key, word]) => (
              <th
                key={word}
                scope="col"
                aria-sort={
                  key !== null && key === sort.key
                    ? sort.descending
                      ? 'descending'
                      : 'ascending'
                    : undefined
                }
              >
                {key === null ? (
                  word
                ) : (
                  <button
                    type="button"
                    onClick={() => {
                      onSort(key);
                    }}
                  >
                    {word}
                  </button>
                )}
              </th>
            ))}
            <th scope="col">
              <span className="jp-Pipelines-forReaders">
                {trans.__('Actions')}
              </span>
            </th>
          </tr>
        </thead>
        <tbody>
          {space(first)}
          {pipelines.slice(first, end).map((pipeline, index) => (
            <Row
              key={pipeline.notebook}
              pipeline={pipeline}
              index={first + index}
              records={records}
              commands={commands}
              trans={trans}
            />
          ))}
          {space(pipelines.length - end)}
        </tbody>
      </table>
    </div>
  );
}

function Empty(props: IPipelinesOptions): React.JSX.Element {
  const { records, commands, trans } = props;
  return (
    <section className="jp-Pipelines-message">
      <pipelineIcon.react tag="span" className="jp-Pipelines-messageIcon" />
      <h3>{trans.__('No pipelines yet')}</h3>
      <p>
        {trans.__(
          'A notebook is listed here once it has run, is published, or has a schedule. Open one, and press Run pipeline.'
        )}
      </p>
      <Button
        kind="primary"
        onClick={() => {
          showFiles(commands, records.api.settings.baseUrl);
        }}
      >
        {trans.__('Choose a notebook')}
      </Button>
    </section>
  );
}

export function Pipelines(props: IPipelinesOptions): React.JSX.Element {
  const { records, trans } = props;
  const live = useLive(records.pipelines);
  const [text, setText] = React.useState('');
  const [state, setState] = React.useState<PipelineState | ''>('');
  const [sort, setSort] = React.useState<ISort>({
    key: 'state',
    descending: false
  });
  const all = live.value;
  const shown = React.useMemo(
    () => chosen(all ?? [], { text, state }, sort),
    [all, text, state, sort]
  );
  const choices = React.useMemo(() => counts(all ?? []), [all]);
  return (
    <>
      <div className="jp-Pipelines-pageTitle">
        <h2>{trans.__('Pipelines')}</h2>
        {all && all.length > 0 && (
          <div className="jp-Pipelines-search" role="search">
            <searchIcon.react tag="span" />
            <input
              type="search"
              className="jp-Pipelines-input"
              aria-label={trans.__('Find pipelines by name, folder or owner')}
              placeholder={trans.__('Name, folder, owner')}
              value={text}
              onChange={event => {
                setText(event.target.value);
              }}
            />
            <select
              className="jp-Pipelines-input"
              aria-label={trans.__('State')}
              value={state}
              onChange={event => {
                setState(event.target.value as PipelineState | '');
              }}
            >
              <option value="">{trans.__('Any state')}</option>
              {choices.map(([one, count]) => (
                <option key={one} value={one}>
                  {wordOfPipeline(one, 'completed', trans)} ({count})
                </option>
              ))}
            </select>
            <span role="status" className="jp-Pipelines-hint">
              {shown.length < all.length
                ? trans.__('%1 of %2', shown.length, all.length)
                : trans._n('%1 pipeline', '%1 pipelines', all.length)}
            </span>
          </div>
        )}
      </div>
      <StaleNotice live={live} trans={trans} />
      {!all && !live.error && (
        <p className="jp-Pipelines-hint" role="status">
          {trans.__('Asking for the pipelines …')}
        </p>
      )}
      {all?.length === 0 && <Empty {...props} />}
      {all && all.length > 0 && shown.length === 0 && (
        <p>
          {trans.__('No pipeline fits.')}{' '}
          <LinkButton
            onClick={() => {
              setText('');
              setState('');
            }}
          >
            {trans.__('Show all')}
          </LinkButton>
        </p>
      )}
      {shown.length > 0 && (
        <Table
          {...props}
          pipelines={shown}
          sort={sort}
          onSort={key => {
            setSort({ key, descending: key === sort.key && !sort.descending });
          }}
        />
      )}
    </>
  );
}

export class PipelinesWidget extends ReactWidget {
  constructor(private readonly _options: IPipelinesOptions) {
    super();
    this.addClass('jp-Pipelines-page');
    this.addClass('jp-Pipelines-all');
  }

  protected override render(): React.JSX.Element {
    return <Pipelines {...this._options} />;
  }
}
