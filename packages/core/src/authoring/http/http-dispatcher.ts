import type * as Undici from 'undici';
import { SinkError } from '../../contract/errors/errors.ts';
import type { HttpConnector } from './http-connector.ts';

/** What `fetch` takes as `dispatcher`. */
export type HttpDispatcher = RequestInit extends { dispatcher?: infer Dispatcher } ? NonNullable<Dispatcher> : unknown;

export interface OwnedDispatcher {
  readonly dispatcher: HttpDispatcher;
  /** Of the same version as the dispatcher. */
  readonly fetch: (url: string | URL, init?: RequestInit) => Promise<Response>;
  /** Ends every request with the error. */
  destroy(error: Error): Promise<void>;
}

export interface DispatcherLimits {
  readonly maxSockets: number;
  readonly idleTimeoutMs: number;
}

/** A dispatcher of undici 7, which works with the `fetch` of Node 20 to 26; that of undici 8 knows the handlers of Node 26 alone. */
export async function createDispatcher(
  connector: HttpConnector,
  { maxSockets, idleTimeoutMs }: DispatcherLimits,
): Promise<OwnedDispatcher> {
  const { Agent, fetch } = await loadUndici();
  const agent = new Agent({
    connections: maxSockets,
    pipelining: idleTimeoutMs === 0 ? 0 : 1,
    // A server may shorten how long it is kept, and not lengthen it.
    ...(idleTimeoutMs === 0 ? {} : { keepAliveTimeout: idleTimeoutMs, keepAliveMaxTimeout: idleTimeoutMs }),
    connect: ({ hostname, port, protocol, servername }, callback) => {
      const encrypted = protocol === 'https:';
      connector.connect(
        {
          host: hostname,
          port: Number(port || (encrypted ? 443 : 80)),
          encrypted,
          serverName: servername || undefined,
        },
        callback,
      );
    },
  });
  return {
    // Its types are those of undici; Node's differ in name alone.
    dispatcher: agent as unknown as HttpDispatcher,
    fetch: (url, init) => fetch(url, { ...init, dispatcher: agent } as Undici.RequestInit),
    destroy: (error) => agent.destroy(error),
  };
}

async function loadUndici(): Promise<typeof Undici> {
  try {
    // A peer that only those need who use fetch: nothing else loads it.
    return await import('undici');
  } catch {
    throw new SinkError('SPEC_INVALID', 'The package undici, which fetch needs to go through an agent, is missing.', {
      remedy: 'Install undici 7 beside @kollect/core.',
    });
  }
}
