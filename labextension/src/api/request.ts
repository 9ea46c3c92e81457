/** Asking our part of the server. */
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

/** What is wrong with a request; `fix` and `field` (dotted within objects) may be empty. */
interface IError {
  message: string;
  fix: string;
  field: string;
}

/** A request that the server refused or never answered; the message is for the user. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly fix = '',
    readonly field = '',
    /** The status of the answer; 0 when there was none. */
    readonly status = 0
  ) {
    super(message);
  }
}

/** What to show of an error, whatever it is. */
export function asApiError(error: unknown): ApiError {
  return error instanceof ApiError
    ? error
    : new ApiError(`The answer cannot be understood: ${String(error)}`);
}

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

export interface IRequest {
  method?: Method;
  /** A list is given as often as it has members; what is `undefined` is left out. */
  query?: Record<
    string,
    string | number | readonly string[] | null | undefined
  >;
  /** Text is sent as it is. */
  body?: object | string;
  signal?: AbortSignal | null;
  /** Repeating a request with the same key does not do it twice. */
  key?: string;
}

const ROOT = ['jupyter-pipelines', 'api'] as const;

/** The address of something of ours, from what may hold any character. */
export function address(
  base: string,
  endpoint: string,
  query: IRequest['query'] = {}
): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === null) {
      continue;
    }
    for (const one of Array.isArray(value) ? value : [value]) {
      search.append(name, String(one));
    }
  }
  const text = search.toString();
  return URLExt.join(base, ...ROOT, endpoint) + (text && `?${text}`);
}

/** Ask our part of the server; rejects with an {@link ApiError} whose message can be shown. */
export async function request<T>(
  settings: ServerConnection.ISettings,
  endpoint: string,
  { method = 'GET', query, body, signal, key }: IRequest = {}
): Promise<T> {
  const init: RequestInit = { method, signal: signal ?? null };
  if (body) {
    init.body = typeof body === 'string' ? body : JSON.stringify(body);
  }
  if (key) {
    init.headers = { 'Idempotency-Key': key };
  }
  let response: Response;
  try {
    response = await ServerConnection.makeRequest(
      address(settings.baseUrl, endpoint, query),
      init,
      settings
    );
  } catch (error) {
    if (signal?.aborted) {
      throw error;
    }
    throw new ApiError('The Jupyter server does not answer.');
  }
  const answer: unknown = await response.json().catch(() => null);
  if (response.ok) {
    return answer as T;
  }
  const error = (answer as { error?: IError } | null)?.error;
  if (typeof error?.message === 'string') {
    const { message, fix, field } = error;
    throw new ApiError(message, fix, field, response.status);
  }
  throw new ApiError(
    response.status === 404
      ? 'The server extension of Jupyter Pipelines is not enabled.'
      : `The server answered ${response.status} ${response.statusText}.`,
    '',
    '',
    response.status
  );
}

/** Path segments that may hold any character. */
export function path(...parts: string[]): string {
  return parts.map(encodeURIComponent).join('/');
}
