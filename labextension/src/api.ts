/** The server's answers, and how they are asked for. */
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import type { JSONObject } from '@lumino/coreutils';

export type Severity = 'error' | 'warning' | 'info';

/** A place in a notebook; both are 1-based, `cell` among all cells. */
export interface ILocation {
  cell: number;
  line: number;
}

export interface IDiagnostic {
  code: string;
  severity: Severity;
  message: string;
  fix: string;
  location: ILocation | null;
  step: string | null;
}

/** A value that a step loads, and the step that wrote it. */
export interface IInput {
  name: string;
  producer: string;
}

export interface IStep {
  name: string;
  /** 1-based positions among all cells. */
  cells: number[];
  inputs: IInput[];
  outputs: string[];
}

/** One reason why `target` runs after `source`. */
export interface IEdge {
  source: string;
  target: string;
  kind: string;
  name: string;
  certain: boolean;
  explanation: string;
}

export interface IParameter {
  name: string;
  annotation: string;
  default: unknown;
  description: string;
}

export interface IPipeline {
  steps: IStep[];
  edges: IEdge[];
  diagnostics: IDiagnostic[];
  parameters: IParameter[];
}

/** What is wrong with a request; `fix` and `field` (dotted within objects) may be empty. */
export interface IError {
  message: string;
  fix: string;
  field: string;
}

/** A request that the server refused or never answered; the message is for the user. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly fix = '',
    readonly field = ''
  ) {
    super(message);
  }
}

/** A message of the WebSocket `events`; see the server's `openapi.json`. */
export interface IEvent {
  id: string;
  kind:
    | 'hello'
    | 'reset'
    | 'run'
    | 'schedule'
    | 'trigger'
    | 'backfill'
    | 'alert'
    | 'service';
  subject: string;
  notebook: string | null;
  time: number;
  data: JSONObject;
}

/** Ask our part of the server; rejects with an {@link ApiError} whose message can be shown. */
async function request<T>(
  settings: ServerConnection.ISettings,
  endpoint: string,
  init: RequestInit = {}
): Promise<T> {
  const url = URLExt.join(
    settings.baseUrl,
    'jupyter-pipelines',
    'api',
    endpoint
  );
  let response: Response;
  try {
    response = await ServerConnection.makeRequest(url, init, settings);
  } catch (error) {
    if (init.signal?.aborted) {
      throw error;
    }
    throw new ApiError('The Jupyter server does not answer.');
  }
  const body: unknown = await response.json().catch(() => null);
  if (response.ok) {
    return body as T;
  }
  const error = (body as { error?: IError } | null)?.error;
  if (typeof error?.message === 'string') {
    throw new ApiError(error.message, error.fix, error.field);
  }
  throw new ApiError(
    response.status === 404
      ? 'The server extension of Jupyter Pipelines is not enabled.'
      : `The server answered ${response.status} ${response.statusText}.`
  );
}

/** Compile a notebook as it stands in the editor. */
export async function compile(
  settings: ServerConnection.ISettings,
  name: string,
  notebook: JSONObject,
  signal: AbortSignal
): Promise<IPipeline> {
  return request<IPipeline>(settings, 'compile', {
    method: 'POST',
    body: JSON.stringify({ name, notebook }),
    signal
  });
}
