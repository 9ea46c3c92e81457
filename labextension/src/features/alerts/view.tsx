/** What happens when something goes wrong: retries, time limits, alerts. */
import { addIcon, deleteIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import type { IAlert, IDelivery } from '../../api';
import type { INotebookRecords } from '../../tokens';
import {
  Button,
  ErrorNotice,
  IconButton,
  LinkButton,
  Notice,
  Section,
  StaleNotice,
  useAction,
  useLive
} from '../../ui';
import type { ISectionProps } from '../panel/context';
import { Bounds } from './bounds';
import { AlertForm, Delivery } from './form';
import {
  alertFacts,
  destinationInWords,
  type IAlertDraft,
  newAlert
} from './model';
import { Retries, retriesInWords } from './retries';

/** What is being written. Kept in memory alone, for it may hold secrets. */
const drafts = new WeakMap<INotebookRecords, IAlertDraft>();

function AlertCard(
  props: ISectionProps & { alert: IAlert; onRemove: () => Promise<unknown> }
): React.JSX.Element {
  const { alert, records, trans, onRemove } = props;
  const action = useAction();
  const [tried, setTried] = React.useState<IDelivery | null>(null);
  return (
    <li className="jp-Pipelines-card" data-id={alert.id}>
      <div className="jp-Pipelines-cardHead">
        <h4>{destinationInWords(alert.to, trans)}</h4>
        <IconButton
          icon={deleteIcon}
          label={trans.__('Remove')}
          disabled={action.busy}
          onClick={() => {
            action.start(onRemove);
          }}
        />
      </div>
      <p className="jp-Pipelines-hint">
        {alertFacts(alert, trans).join(' · ')}
      </p>
      {alert.problem && (
        <Notice tone="warning">
          <p>{alert.problem}</p>
        </Notice>
      )}
      {tried && <Delivery delivery={tried} trans={trans} />}
      <ErrorNotice error={action.error} />
      <div>
        <LinkButton
          disabled={action.busy}
          onClick={() => {
            setTried(null);
            action.start(async () => {
              setTried(await records.api.tryAlert({ alert: alert.id }));
            });
          }}
        >
          {action.busy ? trans.__('Sending…') : trans.__('Send test')}
        </LinkButton>
      </div>
    </li>
  );
}

function Alerts(props: ISectionProps): React.JSX.Element {
  const { notebook, records, trans } = props;
  const { api } = records;
  const { alerts } = notebook;
  const [draft, setDraft] = React.useState(drafts.get(notebook) ?? null);
  const [removed, setRemoved] = React.useState('');
  const undoing = useAction();
  const keep = (next: IAlertDraft | null): void => {
    setRemoved('');
    setDraft(next);
    if (next) {
      drafts.set(notebook, next);
    } else {
      drafts.delete(notebook);
    }
  };
  const none = alerts.value?.length === 0;
  return (
    <div className="jp-Pipelines-alerts">
      <StaleNotice live={alerts} trans={trans} />
      {removed && (
        <Notice>
          <p>
            {trans.__('Removed the alert.')}{' '}
            <LinkButton
              disabled={undoing.busy}
              onClick={() => {
                undoing.start(async () => {
                  await api.restoreAlert(removed);
                  await alerts.refresh();
                  setRemoved('');
                });
              }}
            >
              {trans.__('Undo')}
            </LinkButton>
          </p>
          <ErrorNotice error={undoing.error} />
        </Notice>
      )}
      {none && !draft && (
        <p className="jp-Pipelines-hint">
          {trans.__(
            'Nobody is told yet when a run fails, is late, or works again.'
          )}
        </p>
      )}
      {(alerts.value?.length ?? 0) > 0 && (
        <ul className="jp-Pipelines-cards">
          {alerts.value?.map(alert => (
            <AlertCard
              key={alert.id}
              {...props}
              alert={alert}
              onRemove={async () => {
                await api.removeAlert(alert.id);
                await alerts.refresh();
                setRemoved(alert.id);
              }}
            />
          ))}
        </ul>
      )}
      {draft ? (
        <AlertForm
          draft={draft}
          notebook={notebook.notebook}
          api={api}
          trans={trans}
          onChange={keep}
          onCancel={() => {
            keep(null);
          }}
          onSave={async () => {
            await alerts.refresh();
            keep(null);
          }}
        />
      ) : (
        <div>
          <Button
            icon={addIcon}
            onClick={() => {
              keep(newAlert());
            }}
          >
            {trans.__('Alert')}
          </Button>
        </div>
      )}
    </div>
  );
}

export function Reliability(props: ISectionProps): React.JSX.Element {
  const { notebook, compiler, trans } = props;
  const alerts = useLive(notebook.alerts);
  const { notebook: open } = compiler.current;
  const model =
    open?.context.localPath === notebook.notebook ? open.model : null;
  const count = alerts.value?.length ?? 0;
  return (
    <Section
      title={trans.__('Reliability and alerts')}
      name="reliability"
      summary={[
        count > 0 ? trans._n('%1 alert', '%1 alerts', count) : '',
        model ? retriesInWords(model, trans) : ''
      ]
        .filter(Boolean)
        .join(' · ')}
      collapsed
    >
      <div className="jp-Pipelines-reliability">
        <Alerts {...props} />
        {model && <Retries model={model} trans={trans} />}
        <Bounds {...props} />
      </div>
    </Section>
  );
}
