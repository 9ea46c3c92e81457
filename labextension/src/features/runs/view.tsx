/** The last runs of the pipeline, as they go on. */
import { filterIcon, historyIcon } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { IRun } from '../../api';
import { CommandIDs, type ILive } from '../../tokens';
import {
  Button,
  ErrorNotice,
  IconButton,
  LinkButton,
  Section,
  StaleNotice,
  useAction,
  useLive,
  useNow
} from '../../ui';
import { BackfillDetail } from '../backfills/detail';
import type { ISectionProps } from '../panel/context';
import { useKnown } from './about';
import { RunDetail } from './detail';
import { type ISquare, RunGrid } from './grid';
import {
  ALL,
  columnsOf,
  type IFilters,
  isFiltered,
  isGoingOn,
  queryOf,
  rowsOf
} from './model';

function Filters(props: {
  filters: IFilters;
  onChange: (filters: IFilters) => void;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { filters, onChange, trans } = props;
  const choices: {
    [Name in keyof IFilters]: {
      label: string;
      options: [IFilters[Name], string][];
    };
  } = {
    outcome: {
      label: trans.__('State'),
      options: [
        ['', trans.__('Any state')],
        ['going-on', trans.__('Going on')],
        ['completed', trans.__('Completed')],
        ['failed', trans.__('Failed')],
        ['cancelled', trans.__('Cancelled')]
      ]
    },
    by: {
      label: trans.__('Started by'),
      options: [
        ['', trans.__('Anything')],
        ['hand', trans.__('By hand')],
        ['schedule', trans.__('Schedules')],
        ['backfill', trans.__('Backfills')]
      ]
    },
    age: {
      label: trans.__('Since'),
      options: [
        ['', trans.__('Any time')],
        ['day', trans.__('Last day')],
        ['week', trans.__('Last week')],
        ['month', trans.__('Last 30 days')]
      ]
    }
  };
  return (
    <div
      className="jp-Pipelines-runFilters"
      role="group"
      aria-label={trans.__('Which runs are shown')}
    >
      {(['outcome', 'by', 'age'] as const).map(name => (
        <select
          key={name}
          aria-label={choices[name].label}
          value={filters[name]}
          data-set={filters[name] !== '' || undefined}
          onChange={event => {
            onChange({ ...filters, [name]: event.target.value });
          }}
        >
          {choices[name].options.map(([value, word]) => (
            <option key={value} value={value}>
              {word}
            </option>
          ))}
        </select>
      ))}
    </div>
  );
}

/** The runs that fit, without those of backfills, which are shown as one thing. */
function useRuns(props: ISectionProps, filters: IFilters): ILive<IRun[]> {
  const { records, notebook } = props;
  const path = notebook.notebook;
  return useLive(
    React.useMemo(
      () =>
        records.live<IRun[]>(
          async signal => {
            const query = queryOf(path, filters);
            return query ? (await records.api.runs(query, signal)).runs : [];
          },
          event =>
            event.kind === 'run' &&
            (event.notebook === path || event.notebook === null)
        ),
      [records, path, filters]
    )
  );
}

function Empty(
  props: ISectionProps & { filtered: boolean; onAll: () => void }
): React.JSX.Element {
  const { filtered, onAll, notebook, commands, trans } = props;
  const action = useAction();
  if (filtered) {
    return (
      <p className="jp-Pipelines-sectionText">
        {trans.__('No run fits.')}{' '}
        <LinkButton onClick={onAll}>{trans.__('Show all')}</LinkButton>
      </p>
    );
  }
  return (
    <div className="jp-Pipelines-sectionText">
      <p>{trans.__('No runs yet. Each run is shown here, step by step.')}</p>
      <Button
        kind="primary"
        disabled={action.busy}
        onClick={() => {
          action.start(() =>
            commands.execute(CommandIDs.run, { path: notebook.notebook })
          );
        }}
      >
        {trans.__('Run once now')}
      </Button>
      <ErrorNotice error={action.error} />
    </div>
  );
}

export function Runs(props: ISectionProps): React.JSX.Element {
  const { records, notebook, pipeline, commands, trans } = props;
  const [filters, setFilters] = React.useState(ALL);
  const [filtering, setFiltering] = React.useState(false);
  const [selected, setSelected] = React.useState<ISquare | null>(null);
  const runs = useRuns(props, filters);
  const backfills = useLive(notebook.backfills);
  const known = useKnown(notebook);
  const now = useNow((runs.value ?? []).some(run => isGoingOn(run.state)));
  const section = React.useRef<HTMLDivElement>(null);
  const steps = pipeline.steps.map(step => step.name);
  const columns = columnsOf(runs.value ?? [], backfills.value ?? [], filters);
  const loading = runs.value === null && runs.error === null;
  const close = (): void => {
    setSelected(null);
    section.current
      ?.querySelector<HTMLElement>('[role=grid] [tabindex="0"]')
      ?.focus();
  };
  return (
    <Section
      title={trans.__('Runs')}
      name="runs"
      actions={
        <>
          <IconButton
            icon={filterIcon}
            label={trans.__('Filter the runs')}
            aria-pressed={filtering}
            onClick={() => {
              setFiltering(!filtering);
              setFilters(ALL);
            }}
          />
          <IconButton
            icon={historyIcon}
            label={trans.__('Backfill …')}
            onClick={() => {
              void commands.execute(CommandIDs.backfill, {
                path: notebook.notebook
              });
            }}
          />
        </>
      }
    >
      <div ref={section} className="jp-Pipelines-runs" aria-busy={loading}>
        {filtering && (
          <Filters filters={filters} onChange={setFilters} trans={trans} />
        )}
        <StaleNotice live={runs} trans={trans} />
        {columns.length > 0 && (
          <RunGrid
            columns={columns}
            rows={rowsOf(steps, columns)}
            steps={steps}
            selected={selected}
            onSelect={setSelected}
            known={known}
            now={now}
            trans={trans}
          />
        )}
        {columns.length === 0 && runs.value !== null && (
          <Empty
            {...props}
            filtered={isFiltered(filters)}
            onAll={() => {
              setFilters(ALL);
            }}
          />
        )}
        {selected?.kind === 'run' && (
          <RunDetail
            key={selected.id}
            id={selected.id}
            step={selected.step}
            known={known}
            records={records}
            commands={commands}
            trans={trans}
            onPick={(id, step) => {
              setSelected({ kind: 'run', id, step });
            }}
            onClose={close}
          />
        )}
        {selected?.kind === 'backfill' && (
          <BackfillDetail
            key={selected.id}
            id={selected.id}
            records={records}
            commands={commands}
            trans={trans}
            onPick={id => {
              setSelected({ kind: 'run', id, step: '' });
            }}
            onClose={close}
          />
        )}
      </div>
    </Section>
  );
}
