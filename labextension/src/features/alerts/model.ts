/** Where alerts go, as it is filled in; and the notebook's own options for when something goes wrong. Pure. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { type JSONObject, type JSONValue, UUID } from '@lumino/coreutils';
import type { AlertCause, IAlert, IAlertRequest } from '../../api';
import { duration } from '../../ui/time';

export type DestinationKind = 'mail' | 'slack' | 'teams' | 'webhook' | 'other';
export type Security = 'starttls' | 'tls' | 'none';

export interface IAlertDraft {
  /** Another with each change: a request that is sent again is carried out once. */
  key: string;
  kind: DestinationKind;
  /** Mail addresses, with commas between them. */
  to: string;
  server: string;
  security: Security;
  user: string;
  /** A file below the server's folder that holds the password. */
  passwordFile: string;
  from: string;
  /** The address of what is not mail. */
  address: string;
  on: AlertCause[];
  repeat: string;
  slow: string;
  everywhere: boolean;
}

export function newAlert(): IAlertDraft {
  return {
    key: UUID.uuid4(),
    kind: 'mail',
    to: '',
    server: '',
    security: 'starttls',
    user: '',
    passwordFile: '',
    from: '',
    address: '',
    on: ['failure', 'recovery', 'late'],
    repeat: '',
    slow: '',
    everywhere: false
  };
}

/** The part of the form that must be filled in first; empty when all is. */
export function missingOf(draft: IAlertDraft): string {
  if (draft.kind !== 'mail') {
    return draft.address.trim() ? causes(draft) : 'to';
  }
  if (!draft.to.trim()) {
    return 'to';
  }
  return draft.server.trim() ? causes(draft) : 'server';
}

function causes(draft: IAlertDraft): string {
  return draft.on.length > 0 ? '' : 'on';
}

/** The address that the server takes. */
export function addressOf(draft: IAlertDraft): string {
  if (draft.kind !== 'mail') {
    return draft.address.trim();
  }
  const { security, user, server } = draft;
  const scheme = security === 'none' ? 'mailto' : 'mailtos';
  const login = user.trim() ? `${encodeURIComponent(user.trim())}@` : '';
  const host = server.trim();
  const port = /:\d+$/.test(host) || security !== 'tls' ? '' : ':465';
  const to = draft.to
    .split(/[\s,;]+/)
    .filter(Boolean)
    .map(encodeURIComponent)
    .join(',');
  const options = [
    `to=${to}`,
    ...(draft.from.trim()
      ? [`from=${encodeURIComponent(draft.from.trim())}`]
      : []),
    ...(draft.passwordFile.trim()
      ? [`password_file=${encodeURIComponent(draft.passwordFile.trim())}`]
      : [])
  ];
  return `${scheme}://${login}${host}${port}/?${options.join('&')}`;
}

export function alertRequest(
  notebook: string,
  draft: IAlertDraft
): IAlertRequest {
  const slow = Number(draft.slow);
  return {
    ...(draft.everywhere ? {} : { notebook }),
    to: addressOf(draft),
    on: draft.on,
    ...(draft.repeat.trim() ? { repeat: draft.repeat.trim() } : {}),
    ...(draft.slow.trim() && draft.on.includes('late') ? { slow } : {})
  };
}

/** Where it goes, in words, from what the server shows of its address. */
export function destinationInWords(
  to: string,
  trans: TranslationBundle
): string {
  const scheme = to.split(':')[0] ?? '';
  if (scheme === 'mailto' || scheme === 'mailtos') {
    const addresses = /[?&]to=([^&]*)/.exec(to)?.[1] ?? '';
    return trans.__(
      'E-mail to %1',
      decodeURIComponent(addresses).replaceAll(',', ', ')
    );
  }
  if (scheme === 'http' || scheme === 'https') {
    const host = to.replace(/^\w+:\/\//, '').replace(/\/.*$/, '');
    return trans.__('Webhook at %1', host);
  }
  const known: Record<string, string> = {
    slack: trans.__('Slack'),
    msteams: trans.__('Teams'),
    workflow: trans.__('Teams'),
    workflows: trans.__('Teams'),
    file: trans.__('As written in %1', to.slice('file:'.length))
  };
  return known[scheme] ?? scheme;
}

export function causeWord(cause: AlertCause, trans: TranslationBundle): string {
  return {
    failure: trans.__('fails'),
    late: trans.__('is late'),
    recovery: trans.__('works again')
  }[cause];
}

/** What it tells of, and how it has gone so far. */
export function alertFacts(alert: IAlert, trans: TranslationBundle): string[] {
  const order: AlertCause[] = ['failure', 'late', 'recovery'];
  const told = order
    .filter(cause => alert.on.includes(cause))
    .map(cause => causeWord(cause, trans));
  return [
    trans.__(
      'when it %1',
      new Intl.ListFormat(undefined, { type: 'disjunction' }).format(told)
    ),
    ...(alert.slow
      ? [trans.__('late from %1 times its usual', alert.slow)]
      : []),
    ...(alert.repeat
      ? [trans.__('again every %1', duration(alert.repeat))]
      : []),
    ...(alert.notebook === null ? [trans.__('all notebooks')] : []),
    ...(alert.sent > 0 ? [trans.__('%1 sent', alert.sent)] : []),
    ...(alert.waiting > 0
      ? [trans._n('%1 waits', '%1 wait', alert.waiting)]
      : []),
    ...(alert.dropped > 0 ? [trans.__('%1 given up', alert.dropped)] : [])
  ];
}

// ---- Options in the notebook ----

/** Options in `nb.metadata.pipeline` that say what becomes of a step that fails, or takes long. */
export type OptionName =
  | 'retries'
  | 'retry_delay'
  | 'retry_backoff'
  | 'step_timeout'
  | 'timeout'
  | 'max_parallel';

const DURATION =
  /^(?=.)(?:\d+(?:\.\d+)?d)?(?:\d+(?:\.\d+)?h)?(?:\d+(?:\.\d+)?m)?(?:\d+(?:\.\d+)?s?)?$/;

/** What is written for what was filled in; `undefined` for nothing, `null` where it cannot be. */
export function optionOf(
  name: OptionName,
  text: string
): JSONValue | undefined {
  const written = text.replaceAll(' ', '').toLowerCase();
  if (written === '') {
    return undefined;
  }
  const number = Number(written);
  switch (name) {
    case 'retries':
      return Number.isInteger(number) && number >= 0 && number <= 1000
        ? number
        : null;
    case 'max_parallel':
      return Number.isInteger(number) && number >= 1 ? number : null;
    case 'retry_backoff':
      return number >= 1 && Number.isFinite(number) ? number : null;
    default:
      return DURATION.test(written) ? written : null;
  }
}

/** An option as it is shown in its field. */
export function writtenOption(options: unknown, name: OptionName): string {
  const value = (options as JSONObject | null | undefined)?.[name];
  return typeof value === 'string' || typeof value === 'number'
    ? String(value)
    : '';
}

/** The notebook's options with one of them changed; `null` when none are left. */
export function withOption(
  options: unknown,
  name: OptionName,
  value: JSONValue | undefined
): JSONObject | null {
  const before =
    typeof options === 'object' && options !== null && !Array.isArray(options)
      ? (options as JSONObject)
      : {};
  const kept = Object.entries(before).filter(([each]) => each !== name);
  const after = value === undefined ? kept : [...kept, [name, value] as const];
  return after.length > 0 ? Object.fromEntries(after) : null;
}
