/** How the service is: what it is for, its parts, its log, and a way to start it. */
import { refreshIcon } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { IService } from '../../api';
import type { IRecords } from '../../tokens';
import {
  Button,
  Choices,
  ErrorNotice,
  IconButton,
  instant,
  LinkButton,
  moment,
  StaleNotice,
  StateIcon,
  useAction,
  useLive
} from '../../ui';
import { serviceInWords } from './model';

const LINES = 60;

type Part = 'service' | 'server' | 'worker';

interface IProps {
  records: IRecords;
  trans: TranslationBundle;
}

/** The end of a log of the service. */
export function ServiceLog(props: IProps): React.JSX.Element {
  const { records, trans } = props;
  const [part, setPart] = React.useState<Part>('service');
  const [lines, setLines] = React.useState<string[] | null>(null);
  const action = useAction();
  const { start } = action;
  const load = React.useCallback(() => {
    start(async () => {
      setLines(await records.api.serviceLog(part, LINES));
    });
  }, [records, part, start]);
  React.useEffect(load, [load]);
  const end = React.useRef<HTMLPreElement>(null);
  React.useEffect(() => {
    end.current?.scrollTo({ top: end.current.scrollHeight });
  }, [lines]);
  return (
    <div className="jp-Pipelines-log">
      <div className="jp-Pipelines-logHead">
        <Choices<Part>
          label={trans.__('Which log')}
          value={part}
          onChange={setPart}
          choices={[
            ['service', trans.__('Service')],
            ['server', trans.__('Server')],
            ['worker', trans.__('Worker')]
          ]}
        />
        <IconButton
          icon={refreshIcon}
          label={trans.__('Read the log again')}
          onClick={load}
        />
      </div>
      <ErrorNotice error={action.error} />
      {lines && (
        <pre
          ref={end}
          tabIndex={0}
          aria-label={trans.__('The last lines of the log')}
        >
          {lines.length > 0
            ? lines.join('\n')
            : trans.__('Nothing has been written yet.')}
        </pre>
      )}
    </div>
  );
}

function Parts(props: {
  service: IService;
  trans: TranslationBundle;
}): React.JSX.Element | null {
  const { service, trans } = props;
  const parts = Object.entries(service.parts);
  if (parts.length === 0) {
    return null;
  }
  return (
    <dl className="jp-Pipelines-facts">
      {parts.map(([name, { state, restarts }]) => (
        <React.Fragment key={name}>
          <dt>{name}</dt>
          <dd>
            {state}
            {restarts > 0 &&
              ` · ${trans._n('%1 restart', '%1 restarts', restarts)}`}
          </dd>
        </React.Fragment>
      ))}
    </dl>
  );
}

/** A button that starts the service, where that is possible from here. */
export function StartService(
  props: IProps & { primary?: boolean }
): React.JSX.Element | null {
  const { records, trans, primary } = props;
  const action = useAction();
  const service = useLive(records.service).value;
  if (!service || service.configured || service.state === 'running') {
    return null;
  }
  const starting = action.busy || service.state === 'starting';
  return (
    <>
      <ErrorNotice error={action.error} />
      <Button
        kind={primary ? 'primary' : 'plain'}
        disabled={starting}
        onClick={() => {
          action.start(async () => {
            records.service.set(await records.api.startService());
          });
        }}
      >
        {starting ? trans.__('Starting…') : trans.__('Start')}
      </Button>
    </>
  );
}

/** All about the service, for the status bar's popup. */
export function ServiceDetails(props: IProps): React.JSX.Element {
  const { records, trans } = props;
  const live = useLive(records.service);
  const [log, setLog] = React.useState(false);
  const service = live.value;
  const since = service && instant(service.since);
  const { title, text } = serviceInWords(service, live.error !== null, trans);
  return (
    <section
      className="jp-Pipelines-service"
      aria-label={trans.__('The service of Jupyter Pipelines')}
    >
      <h3 aria-live="polite">{title}</h3>
      <p>{text}</p>
      <StaleNotice live={live} trans={trans} />
      {service && since && service.state === 'running' && (
        <p className="jp-Pipelines-hint">
          {trans.__('Since %1', moment(since))}
        </p>
      )}
      {service && <Parts service={service} trans={trans} />}
      <div className="jp-Pipelines-row">
        <StartService {...props} primary />
        {service && !service.configured && (
          <LinkButton
            aria-expanded={log}
            onClick={() => {
              setLog(!log);
            }}
          >
            {log ? trans.__('Hide the log') : trans.__('Show the log')}
          </LinkButton>
        )}
      </div>
      {log && <ServiceLog {...props} />}
    </section>
  );
}

/** Stands in the panel while the service is away; nothing while it is there. */
export function ServiceNotice(props: IProps): React.JSX.Element | null {
  const { records, trans } = props;
  const { value: service, error } = useLive(records.service);
  const [log, setLog] = React.useState(false);
  if (!service || error || service.state === 'running') {
    return null;
  }
  const { title, text } = serviceInWords(service, false, trans);
  if (service.state === 'starting') {
    return (
      <p className="jp-Pipelines-serviceStarting" role="status">
        <StateIcon state="running" trans={trans} decorative />
        {title}…
      </p>
    );
  }
  return (
    <div className="jp-Pipelines-notice" data-tone="warning" role="status">
      <p>
        <strong>{title}.</strong> {text}
      </p>
      <div className="jp-Pipelines-row">
        <StartService {...props} />
        {!service.configured && (
          <LinkButton
            aria-expanded={log}
            onClick={() => {
              setLog(!log);
            }}
          >
            {log ? trans.__('Hide the log') : trans.__('Show the log')}
          </LinkButton>
        )}
      </div>
      {log && <ServiceLog {...props} />}
    </div>
  );
}
