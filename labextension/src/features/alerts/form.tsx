/** The form of a new alert: where it goes, and what it tells of. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { UUID } from '@lumino/coreutils';
import * as React from 'react';
import {
  type AlertCause,
  type Api,
  asApiError,
  type IDelivery
} from '../../api';
import {
  Button,
  Choices,
  ErrorNotice,
  Field,
  Notice,
  Select,
  useAction
} from '../../ui';
import {
  addressOf,
  alertRequest,
  type DestinationKind,
  type IAlertDraft,
  missingOf,
  type Security
} from './model';

interface IPartProps {
  draft: IAlertDraft;
  change: (changes: Partial<IAlertDraft>) => void;
  problemOf: (part: string) => string;
  trans: TranslationBundle;
}

/** A field for a text. */
function Text(
  props: IPartProps & {
    name: 'to' | 'server' | 'user' | 'passwordFile' | 'from' | 'address';
    /** The part of the form that it is, for what is wrong. */
    part?: string;
    label: string;
    hint?: string;
    placeholder?: string;
    secret?: boolean;
  }
): React.JSX.Element {
  const { draft, change, problemOf, name, part, label, hint, secret } = props;
  return (
    <Field label={label} problem={part ? problemOf(part) : ''} hint={hint}>
      {field => (
        <input
          {...field}
          // Who looks over a shoulder does not read it.
          type={secret ? 'password' : 'text'}
          className="jp-Pipelines-input"
          autoComplete="off"
          spellCheck={false}
          placeholder={props.placeholder}
          data-first={part === 'to' || undefined}
          value={draft[name]}
          onChange={event => {
            change({ [name]: event.target.value });
          }}
        />
      )}
    </Field>
  );
}

function Mail(props: IPartProps): React.JSX.Element {
  const { draft, change, trans } = props;
  const securities: [Security, string][] = [
    ['starttls', trans.__('STARTTLS (port 587)')],
    ['tls', trans.__('TLS (port 465)')],
    ['none', trans.__('none (port 25)')]
  ];
  return (
    <>
      <Text
        {...props}
        name="to"
        part="to"
        label={trans.__('To')}
        placeholder={trans.__('ann@example.com')}
      />
      <Text
        {...props}
        name="server"
        part="server"
        label={trans.__('Mail server')}
        placeholder={trans.__('smtp.example.com')}
      />
      <Field label={trans.__('Encryption')}>
        {field => (
          <Select
            {...field}
            value={draft.security}
            choices={securities}
            onChange={security => {
              change({ security });
            }}
          />
        )}
      </Field>
      <Text
        {...props}
        name="user"
        label={trans.__('User, if it asks for one')}
      />
      {draft.user.trim() !== '' && (
        <Text
          {...props}
          name="passwordFile"
          label={trans.__('File with the password')}
          hint={trans.__(
            'Below the server’s folder, and readable by you alone.'
          )}
        />
      )}
      <Text
        {...props}
        name="from"
        label={trans.__('From')}
        placeholder={trans.__('as the user')}
      />
    </>
  );
}

function Destination(props: IPartProps): React.JSX.Element {
  const { draft, trans } = props;
  switch (draft.kind) {
    case 'mail':
      return <Mail {...props} />;
    case 'slack':
      return (
        <Text
          {...props}
          name="address"
          part="to"
          secret
          label={trans.__('Address of the incoming webhook')}
          placeholder={trans.__('https://hooks.slack.com/services/…')}
          hint={trans.__('Slack gives it out for a channel.')}
        />
      );
    case 'teams':
      return (
        <Text
          {...props}
          name="address"
          part="to"
          secret
          label={trans.__('Address of the workflow')}
          placeholder={trans.__('https://….logic.azure.com/workflows/…')}
          hint={trans.__(
            'Teams gives it out for “Post to a channel when a webhook request is received”.'
          )}
        />
      );
    case 'webhook':
      return (
        <Text
          {...props}
          name="address"
          part="to"
          label={trans.__('Address')}
          placeholder={trans.__('https://example.com/hook')}
          hint={trans.__('It is sent JSON by POST.')}
        />
      );
    case 'other':
      return (
        <Text
          {...props}
          name="address"
          part="to"
          secret
          label={trans.__('Address')}
          placeholder={trans.__('ntfy://topic')}
          hint={trans.__(
            'Any address that apprise knows; or file:PATH, where one is written.'
          )}
        />
      );
  }
}

function Causes(props: IPartProps): React.JSX.Element {
  const { draft, change, problemOf, trans } = props;
  const causes: [AlertCause, string][] = [
    ['failure', trans.__('a run fails')],
    ['late', trans.__('a run is late')],
    ['recovery', trans.__('it works again')]
  ];
  return (
    <div
      role="group"
      aria-label={trans.__('Tell when')}
      className="jp-Pipelines-field"
    >
      <span className="jp-Pipelines-hint">{trans.__('Tell when')}</span>
      {causes.map(([cause, word]) => (
        <label key={cause} className="jp-Pipelines-check">
          <input
            type="checkbox"
            checked={draft.on.includes(cause)}
            onChange={event => {
              change({
                on: event.target.checked
                  ? [...draft.on, cause]
                  : draft.on.filter(each => each !== cause)
              });
            }}
          />
          {word}
        </label>
      ))}
      <div role="alert" className="jp-Pipelines-fieldProblem">
        {problemOf('on')}
      </div>
    </div>
  );
}

/** What came of a test: what is wrong, and what to do about it. */
export function Delivery(props: {
  delivery: IDelivery;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { delivery, trans } = props;
  const { delivered, problem, fix } = delivery;
  return (
    <Notice tone={delivered ? 'info' : 'error'}>
      <p>
        {delivered
          ? trans.__('The test was delivered.')
          : trans.__('The test was not taken: %1.', problem.replace(/\.$/, ''))}
      </p>
      {fix && <p>{fix}</p>}
    </Notice>
  );
}

export function AlertForm(props: {
  draft: IAlertDraft;
  notebook: string;
  api: Api;
  onChange: (draft: IAlertDraft) => void;
  onSave: () => Promise<unknown>;
  onCancel: () => void;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { draft, notebook, api, onChange, trans } = props;
  const form = React.useRef<HTMLFormElement>(null);
  const action = useAction();
  const [asked, setAsked] = React.useState(false);
  const [tried, setTried] = React.useState<IDelivery | null>(null);
  React.useEffect(() => {
    form.current?.querySelector<HTMLElement>('[data-first]')?.focus();
  }, []);
  const change = (changes: Partial<IAlertDraft>): void => {
    action.clear();
    setTried(null);
    onChange({ ...draft, ...changes, key: UUID.uuid4() });
  };
  const missing = asked ? missingOf(draft) : '';
  const error = action.error === null ? null : asApiError(action.error);
  const places = ['to', 'on', 'repeat', 'slow'];
  const problemOf = (part: string): string => {
    if (missing === part) {
      return part === 'on'
        ? trans.__('Choose at least one.')
        : trans.__('This is needed.');
    }
    return error?.field === part ? `${error.message} ${error.fix}` : '';
  };
  const start = (work: () => Promise<unknown>): void => {
    setAsked(true);
    setTried(null);
    if (!missingOf(draft)) {
      action.start(work);
    }
  };
  const kinds: [DestinationKind, string][] = [
    ['mail', trans.__('E-mail')],
    ['slack', trans.__('Slack')],
    ['teams', trans.__('Teams')],
    ['webhook', trans.__('Webhook')],
    ['other', trans.__('Other')]
  ];
  const part: IPartProps = { draft, change, problemOf, trans };
  return (
    <form
      ref={form}
      className="jp-Pipelines-form jp-Pipelines-editor"
      aria-label={trans.__('New alert')}
      noValidate
      onSubmit={event => {
        event.preventDefault();
        start(async () => {
          await api.addAlert(alertRequest(notebook, draft), draft.key);
          await props.onSave();
        });
      }}
    >
      <h4>{trans.__('New alert')}</h4>
      <Choices
        label={trans.__('Where it goes')}
        value={draft.kind}
        choices={kinds}
        onChange={kind => {
          change({ kind });
        }}
      />
      <Destination {...part} />
      <Causes {...part} />
      {draft.on.includes('late') && (
        <Field
          label={trans.__('Late, too, when it takes so many times its usual')}
          problem={problemOf('slow')}
          hint={trans.__('Else when “to be done by” has passed.')}
        >
          {field => (
            <input
              {...field}
              type="number"
              min={1}
              max={1000}
              step="any"
              className="jp-Pipelines-input jp-mod-short"
              value={draft.slow}
              onChange={event => {
                change({ slow: event.target.value });
              }}
            />
          )}
        </Field>
      )}
      <Field
        label={trans.__('Tell again of what goes on failing every')}
        problem={problemOf('repeat')}
        hint={draft.repeat ? '' : trans.__('Such as 1h; once unless given.')}
      >
        {field => (
          <input
            {...field}
            type="text"
            className="jp-Pipelines-input jp-mod-short"
            value={draft.repeat}
            onChange={event => {
              change({ repeat: event.target.value });
            }}
          />
        )}
      </Field>
      <Choices
        label={trans.__('Of which notebooks')}
        value={draft.everywhere ? 'all' : 'this'}
        choices={[
          ['this', trans.__('This notebook')],
          ['all', trans.__('All notebooks')]
        ]}
        onChange={value => {
          change({ everywhere: value === 'all' });
        }}
      />
      {error && !places.includes(error.field) && <ErrorNotice error={error} />}
      {tried && <Delivery delivery={tried} trans={trans} />}
      <div className="jp-Pipelines-formEnd">
        <Button kind="primary" submit disabled={action.busy}>
          {trans.__('Save')}
        </Button>
        <Button
          disabled={action.busy}
          onClick={() => {
            start(async () => {
              setTried(await api.tryAlert({ to: addressOf(draft) }));
            });
          }}
        >
          {action.busy ? trans.__('Sending…') : trans.__('Send test')}
        </Button>
        <Button onClick={props.onCancel}>{trans.__('Cancel')}</Button>
      </div>
    </form>
  );
}
