// Requests to the daemon that served this page, and what its errors say.
import { forgetToken, token } from './token.ts';
import { seePosition } from '../time/moment.ts';

export type Parameters = Record<string, string | number | boolean | null | undefined>;

/** What problem+json says: a sentence, and what to do next. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly next: string,
  ) {
    super(detail);
  }
  /** This daemon has no such path: it is older than the page's view, or was built without it. */
  get isMissingRoute(): boolean {
    return this.status === 404 && this.message.includes('nothing at this path');
  }
}

export interface Answer<T> {
  data: T;
  /** Which position it is about; 0 = it was not said. */
  position: number;
}

export function pathWith(path: string, parameters: Parameters): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== null && value !== '') query.set(name, String(value));
  }
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

async function errorOf(response: Response): Promise<ApiError> {
  try {
    const problem = (await response.json()) as { code: string; detail: string; next: string };
    return new ApiError(response.status, problem.code, problem.detail, problem.next);
  } catch (error) {
    if (isAbort(error)) throw error;
    return new ApiError(response.status, 'unknown', response.statusText, 'try again');
  }
}

const isAbort = (error: unknown) => error instanceof DOMException && error.name === 'AbortError';

/** Sends it with a token. Throws ApiError; an aborted one throws as fetch() does. */
async function sendAs(shown: string, path: string, init: RequestInit): Promise<Response> {
  const headers = new Headers(init.headers);
  if (shown) headers.set('Authorization', `Bearer ${shown}`);
  let response: Response;
  try {
    response = await fetch(path, { ...init, headers, cache: 'no-store', redirect: 'error' });
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new ApiError(0, 'unreachable', 'the daemon does not answer', 'see whether it runs');
  }
  if (response.ok) return response;
  throw await errorOf(response);
}

/** With the token of this tab, which is forgotten when it is refused. */
export async function send(path: string, init: RequestInit = {}): Promise<Response> {
  const shown = token.value;
  try {
    return await sendAs(shown, path, init);
  } catch (error) {
    const isRefused = error instanceof ApiError && error.status === 401;
    if (isRefused && shown === token.value) forgetToken(error.message);
    throw error;
  }
}

/** Whether a token may read, asked once. Throws ApiError when it may not. */
export async function tryToken(shown: string): Promise<void> {
  await sendAs(shown, '/v1', {});
}

function positionOf(response: Response): number {
  return Number(response.headers.get('Almanac-Position') ?? 0);
}

export async function read<T>(path: string, init: RequestInit = {}): Promise<Answer<T>> {
  const response = await send(path, init);
  const data = (await response.json()) as T;
  return { data, position: positionOf(response) };
}

export type Method = 'POST' | 'PUT' | 'DELETE';

/** A change. What it answers, where it answers something. */
export async function change(method: Method, path: string, body?: object): Promise<unknown> {
  const init: RequestInit = { method };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { 'Content-Type': 'application/json' };
  }
  const response = await send(path, init);
  seePosition(positionOf(response));
  return response.status === 204 ? null : await response.json();
}

export const segment = encodeURIComponent;
