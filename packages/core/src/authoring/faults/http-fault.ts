import type { Fault } from '../../connection/faults/fault.ts';

/** Headers of an answer: what `fetch` gives, or what `node:http` does. */
export type HttpHeaders =
  | { get(name: string): string | null }
  | Readonly<Record<string, string | readonly string[] | undefined>>;

export interface HttpAnswer {
  readonly status: number;
  readonly headers?: HttpHeaders;
}

const fault = (code: Fault['code'], what: string, remedy?: string, retryable?: boolean): Fault => ({
  code,
  what,
  ...(remedy === undefined ? {} : { remedy }),
  ...(retryable === undefined ? {} : { retryable }),
});

const changed = fault('CONFLICT', 'The server has another version of the resource than the one that was expected');
const relieve = 'It is tried again; look at the limits and the load of the server.';
const overloaded = fault('OVERLOADED', 'The server asks for fewer requests', relieve);
const tooLarge = fault('PAYLOAD_TOO_LARGE', 'The server does not take a request of this size');
const unavailable = (what: string): Fault => fault('UNAVAILABLE', what);
const logIn = fault('AUTHENTICATION_FAILED', 'The server refused the login', 'Check the credentials of the sink.');

const byStatus: Readonly<Record<number, Fault>> = {
  401: logIn,
  403: fault('PERMISSION_DENIED', 'The server knows the user and says no', 'Grant what the request needs.'),
  404: fault('NOT_FOUND', 'The server does not know the resource', 'Create it, or correct the address in the spec.'),
  405: fault(
    'SPEC_INVALID',
    'The server does not take such a request at this address',
    'Correct the address in the spec.',
  ),
  407: { ...logIn, what: 'The proxy on the way asks for a login' },
  408: fault('TIMEOUT', 'The server gave up waiting for the request'),
  409: fault('CONFLICT', 'The request contradicts what the server holds'),
  410: fault('NOT_FOUND', 'The resource is gone for good', 'Correct the address in the spec.'),
  412: changed,
  413: tooLarge,
  414: fault('SPEC_INVALID', 'The address is longer than the server takes', 'Shorten the address in the spec.'),
  421: unavailable('The server is not the one for this address'),
  423: unavailable('The resource is locked by somebody else'),
  425: unavailable('The server does not want to be asked yet'),
  428: changed,
  429: overloaded,
  431: { ...tooLarge, what: 'The server does not take headers of this size' },
  451: fault('PERMISSION_DENIED', 'The server says no for legal reasons'),
  500: fault('BACKEND_ERROR', 'The server met an internal error', 'Its log tells more.', true),
  501: fault(
    'BACKEND_ERROR',
    'The server does not know such a request',
    'Check the address and the version of the server.',
  ),
  502: unavailable('What stands before the server got no good answer from it'),
  503: unavailable('The server is not available'),
  504: fault('TIMEOUT', 'What stands before the server got no answer from it in time'),
  505: fault('BACKEND_ERROR', 'The server does not speak this version of HTTP'),
  507: { ...overloaded, what: 'The server has no room left', remedy: 'Free or add space.' },
  509: overloaded,
  511: { ...logIn, what: 'The network asks for a login' },
};

/** What an HTTP status means, and how long the server asked us to wait; undefined for an answer that is none of 3xx, 4xx and 5xx. */
export function httpFault({ status, headers }: HttpAnswer): Fault | undefined {
  const known = byStatus[status] ?? byClass(status);
  if (known === undefined) return undefined;
  const retryAfterMs = headers === undefined ? undefined : retryAfterOf(headers);
  if (retryAfterMs === undefined) return known;
  // A server that names a time for the next try expects it to succeed, unless the request itself was wrong.
  return known.code === 'UNAVAILABLE' ||
    known.code === 'OVERLOADED' ||
    known.code === 'TIMEOUT' ||
    known.retryable === true
    ? { ...known, retryAfterMs }
    : known;
}

function byClass(status: number): Fault | undefined {
  if (status >= 300 && status < 400)
    return fault(
      'BACKEND_ERROR',
      'The server answered with a redirection that is not followed',
      'Put the address that it leads to into the spec.',
    );
  if (status >= 400 && status < 500) return fault('BACKEND_ERROR', 'The server could not make sense of the request');
  if (status >= 500 && status < 600)
    return fault('BACKEND_ERROR', 'The server met an error', 'Its log tells more.', true);
  return undefined;
}

const longestMs = 60 * 60_000;

/** `Retry-After`, seconds or a date, in milliseconds from now; an hour at most. A date is compared with the server's own clock where it sends that. */
function retryAfterOf(headers: HttpHeaders): number | undefined {
  const text = headerOf(headers, 'retry-after')?.trim();
  if (text === undefined || text === '') return undefined;
  if (/^\d{1,10}$/u.test(text)) return Math.min(Number(text) * 1_000, longestMs);
  const at = /^[A-Z]/iu.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at)) return undefined;
  const now = Date.parse(headerOf(headers, 'date') ?? '');
  return Math.min(Math.max(at - (Number.isNaN(now) ? Date.now() : now), 0), longestMs);
}

function headerOf(headers: HttpHeaders, name: string): string | undefined {
  if (typeof headers['get'] === 'function')
    return (headers as { get(name: string): string | null }).get(name) ?? undefined;
  const values = headers as Readonly<Record<string, string | readonly string[] | undefined>>;
  const value = values[name] ?? Object.entries(values).find(([key]) => key.toLowerCase() === name)?.[1];
  return typeof value === 'string' ? value : value?.[0];
}
