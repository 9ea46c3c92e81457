/** External sources: what SQL may read of them. One is asked when it is opened, and keeps the others waiting for nothing. */
import * as React from 'react';
import type { IColumn, ISource } from '../../api';
import { Notice, StaleNotice, useLive } from '../../ui';
import { hasWords } from './model';
import { Columns, Name } from './names';
import type { IWarehouseProps } from './widget';

/** A name: not translated. */
const POSTGRES = 'PostgreSQL';

function SourceColumns(
  props: IWarehouseProps & { source: string; table: string }
): React.JSX.Element {
  const { source, table, records, trans } = props;
  const live = useLive(
    React.useMemo(
      () =>
        records.live<IColumn[]>(
          signal => records.api.sourceColumns(source, table, signal),
          () => false
        ),
      [records, source, table]
    )
  );
  return (
    <div className="jp-Pipelines-warehouseDetails">
      <StaleNotice live={live} trans={trans} />
      {!live.value && !live.error && (
        <p className="jp-Pipelines-hint" role="status">
          {trans.__('Reading the table…')}
        </p>
      )}
      {live.value && <Columns of={table} columns={live.value} {...props} />}
    </div>
  );
}

function SourceTable(
  props: IWarehouseProps & { source: string; table: string }
): React.JSX.Element {
  const { source, table, commands, trans } = props;
  const [open, setOpen] = React.useState(false);
  return (
    <li>
      <Name text={table} commands={commands} trans={trans}>
        <button
          type="button"
          aria-expanded={open}
          onClick={() => {
            setOpen(!open);
          }}
        >
          <span className="jp-Pipelines-rowName">
            {table.slice(source.length + 1)}
          </span>
        </button>
      </Name>
      {open && <SourceColumns {...props} />}
    </li>
  );
}

function SourceTables(
  props: IWarehouseProps & { source: string; wanted: string }
): React.JSX.Element {
  const { source, wanted, records, trans } = props;
  const live = useLive(
    React.useMemo(
      () =>
        records.live<string[]>(
          signal => records.api.sourceTables(source, signal),
          () => false
        ),
      [records, source]
    )
  );
  const tables = live.value;
  const found = tables?.filter(table => hasWords(table, wanted)) ?? [];
  return (
    <>
      <StaleNotice live={live} trans={trans} />
      {!tables && !live.error && (
        <p className="jp-Pipelines-hint jp-mod-padded" role="status">
          {trans.__('Asking the source…')}
        </p>
      )}
      {tables && found.length === 0 && (
        <p className="jp-Pipelines-hint jp-mod-padded" role="status">
          {tables.length > 0
            ? trans.__('No table is called so.')
            : trans.__('It lists no tables.')}
        </p>
      )}
      {found.length > 0 && (
        <ul
          className="jp-Pipelines-warehouseTables"
          aria-label={trans.__('Tables in %1', source)}
        >
          {found.map(table => (
            <SourceTable key={table} {...props} table={table} />
          ))}
        </ul>
      )}
    </>
  );
}

function Source(
  props: IWarehouseProps & { source: ISource; wanted: string }
): React.JSX.Element {
  const { source, trans } = props;
  const [open, setOpen] = React.useState(false);
  return (
    <details
      className="jp-Pipelines-section"
      onToggle={event => {
        setOpen(event.currentTarget.open);
      }}
    >
      <summary>
        <h3>{source.name}</h3>
        <span
          className="jp-Pipelines-count jp-mod-summary"
          title={source.place}
        >
          {source.type === 'postgres'
            ? POSTGRES
            : source.type === 'files'
              ? trans.__('files')
              : trans.__('cannot be read')}
        </span>
      </summary>
      {open &&
        (source.problem ? (
          <Notice tone="error">
            <p>{source.problem}</p>
          </Notice>
        ) : (
          <SourceTables {...props} source={source.name} />
        ))}
    </details>
  );
}

/** All of them; `renewed` is another number when they are to be looked at anew. */
export function Sources(
  props: IWarehouseProps & { wanted: string; renewed: number }
): React.JSX.Element | null {
  const { records, renewed, trans } = props;
  const live = useLive(
    React.useMemo(
      () =>
        records.live<ISource[]>(
          signal => records.api.sources(signal),
          () => false
        ),
      // eslint-disable-next-line react-hooks/exhaustive-deps
      [records, renewed]
    )
  );
  return (
    <>
      <StaleNotice live={live} trans={trans} />
      {live.value?.map(source => (
        <Source key={`${source.name} ${renewed}`} {...props} source={source} />
      ))}
    </>
  );
}
