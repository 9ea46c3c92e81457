/** Schemas, tables, their columns and first rows, to look at and to take names from. */
import { refreshIcon } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type {
  ICheck,
  IPipelineSummary,
  ITable,
  ITableDetails
} from '../../api';
import { CommandIDs } from '../../tokens';
import {
  IconButton,
  instant,
  LinkButton,
  moment,
  relative,
  StaleNotice,
  ToneIcon,
  useLive
} from '../../ui';
import { bySchema, countText, producerOf, sqlName } from './model';
import { Columns, Name } from './names';
import { Sources } from './sources';
import type { IWarehouseProps } from './widget';

/** As SQL has them: not translated. */
const NULL = 'NULL';
const EXAMPLE =
  '%%sql --table mart.daily\nselect day, count(*) as n\nfrom flights group by day';

function Preview(props: {
  details: ITableDetails;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { columns, preview, table } = props.details;
  const { trans } = props;
  if (preview.length === 0) {
    return <p className="jp-Pipelines-hint">{trans.__('It has no rows.')}</p>;
  }
  return (
    <div
      className="jp-Pipelines-warehousePreview"
      role="region"
      tabIndex={0}
      aria-label={trans.__('First rows of %1', table.name)}
    >
      <table>
        <thead>
          <tr>
            {columns.map(({ name }) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {preview.map((row, index) => (
            <tr key={index}>
              {row.map((value, column) => (
                <td key={column} title={value ?? undefined}>
                  {value ?? <i>{NULL}</i>}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The pipeline that builds a table, and how its checks came out when it last ran. */
function Producer(
  props: IWarehouseProps & { table: ITable; pipeline: IPipelineSummary }
): React.JSX.Element {
  const { table, pipeline, records, commands, trans } = props;
  const run = pipeline.last_runs[0]?.id ?? '';
  const live = React.useMemo(
    () =>
      records.live<ICheck[]>(
        async signal => {
          const steps = run ? await records.api.runSteps(run, signal) : [];
          const own = [`${table.schema}.${table.name}`, table.name];
          return steps
            .flatMap(({ checks = [] }) => checks)
            .filter(check => own.includes(check.table));
        },
        event => event.kind === 'run' && event.subject === run
      ),
    [records, run, table.schema, table.name]
  );
  const checks = useLive(live).value ?? [];
  const bad = checks.filter(({ status }) => status !== 'passed');
  return (
    <>
      <p>
        {trans.__('Built by')}{' '}
        <LinkButton
          onClick={() => {
            void commands.execute(CommandIDs.openNotebook, {
              path: pipeline.notebook
            });
          }}
        >
          {pipeline.notebook.split('/').pop()}
        </LinkButton>
      </p>
      {checks.length > 0 && (
        <p
          className="jp-Pipelines-warehouseChecks"
          title={bad
            .map(({ name, message }) => `${name}: ${message}`)
            .join('\n')}
        >
          <ToneIcon
            tone={
              bad.length === 0
                ? 'good'
                : bad.some(({ status }) => status === 'failed')
                  ? 'bad'
                  : 'warning'
            }
          />
          {bad.length === 0
            ? trans._n('%1 check passed', '%1 checks passed', checks.length)
            : trans.__('%1 of %2 checks not passed', bad.length, checks.length)}
        </p>
      )}
    </>
  );
}

function Details(
  props: IWarehouseProps & { table: ITable }
): React.JSX.Element {
  const { table, records, trans } = props;
  const { schema, name, changed } = table;
  const live = useLive(
    React.useMemo(
      () =>
        records.live<ITableDetails>(
          signal => records.api.table(schema, name, signal),
          () => false
        ),
      // Asked for anew when it was changed.
      // eslint-disable-next-line react-hooks/exhaustive-deps
      [records, schema, name, changed]
    )
  );
  const pipelines = useLive(records.pipelines).value ?? [];
  const pipeline = producerOf(table, pipelines);
  const details = live.value;
  return (
    <div className="jp-Pipelines-warehouseDetails">
      <StaleNotice live={live} trans={trans} />
      {!details && !live.error && (
        <p className="jp-Pipelines-hint" role="status">
          {trans.__('Reading the table…')}
        </p>
      )}
      {pipeline && <Producer {...props} pipeline={pipeline} />}
      {details && (
        <>
          <Columns of={name} columns={details.columns} {...props} />
          <Preview details={details} trans={trans} />
        </>
      )}
    </div>
  );
}

function TableItem(
  props: IWarehouseProps & { table: ITable }
): React.JSX.Element {
  const { table, commands, trans } = props;
  const [open, setOpen] = React.useState(false);
  const changed = table.changed === null ? null : instant(table.changed);
  const rows =
    table.rows === null
      ? trans.__('view')
      : trans._n('%2 row', '%2 rows', table.rows, countText(table.rows));
  return (
    <li>
      <Name text={sqlName(table)} commands={commands} trans={trans}>
        <button
          type="button"
          aria-expanded={open}
          onClick={() => {
            setOpen(!open);
          }}
        >
          <span className="jp-Pipelines-rowName">{table.name}</span>
          <span
            className="jp-Pipelines-place"
            title={
              changed ? trans.__('Changed %1', moment(changed)) : undefined
            }
          >
            {[rows, changed ? relative(changed) : '']
              .filter(Boolean)
              .join(' · ')}
          </span>
        </button>
      </Name>
      {open && <Details {...props} />}
    </li>
  );
}

export function Warehouse(props: IWarehouseProps): React.JSX.Element {
  const { records, trans } = props;
  const [wanted, setWanted] = React.useState('');
  const [looked, setLooked] = React.useState(0);
  const live = useLive(
    React.useMemo(
      () =>
        records.live<ITable[]>(
          signal => records.api.tables(signal),
          event => event.kind === 'run'
        ),
      [records]
    )
  );
  const tables = live.value;
  const schemas = bySchema(tables ?? [], wanted);
  return (
    <>
      <header className="jp-Pipelines-header">
        <div className="jp-Pipelines-title">
          <h2>{trans.__('Warehouse')}</h2>
          <IconButton
            icon={refreshIcon}
            label={trans.__('Look again')}
            onClick={() => {
              void live.refresh();
              setLooked(looked + 1);
            }}
          />
        </div>
        {(tables?.length ?? 0) > 0 && (
          <input
            type="search"
            className="jp-Pipelines-input"
            aria-label={trans.__('Find tables')}
            placeholder={trans.__('Find tables')}
            value={wanted}
            onChange={event => {
              setWanted(event.target.value);
            }}
          />
        )}
      </header>
      <StaleNotice live={live} trans={trans} />
      {!tables && !live.error && (
        <p className="jp-Pipelines-hint jp-mod-padded" role="status">
          {trans.__('Opening the warehouse…')}
        </p>
      )}
      {tables?.length === 0 && (
        <div className="jp-Pipelines-sectionText">
          <p>
            {trans.__(
              'There are no tables yet. A cell such as this one makes the first:'
            )}
          </p>
          <pre>{EXAMPLE}</pre>
        </div>
      )}
      {tables && tables.length > 0 && schemas.length === 0 && (
        <p className="jp-Pipelines-hint jp-mod-padded" role="status">
          {trans.__('No table is called so.')}
        </p>
      )}
      {schemas.map(([schema, found]) => (
        <details key={schema} className="jp-Pipelines-section" open>
          <summary>
            <h3>{schema}</h3>
            <span className="jp-Pipelines-count">{found.length}</span>
          </summary>
          <ul
            className="jp-Pipelines-warehouseTables"
            aria-label={trans.__('Tables in %1', schema)}
          >
            {found.map(table => (
              <TableItem
                key={`${table.kind} ${table.name}`}
                {...props}
                table={table}
              />
            ))}
          </ul>
        </details>
      ))}
      <Sources {...props} wanted={wanted} renewed={looked} />
    </>
  );
}
