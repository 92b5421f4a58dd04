import { Agent as PlainAgent, type AgentOptions, type ClientRequest } from 'node:http';
import { Agent as EncryptedAgent } from 'node:https';
import type { Socket } from 'node:net';
import {
  aCount,
  aFunction,
  aPositiveNumber,
  checkOptions,
  either,
  objectWith,
  type OptionKinds,
} from '../../contract/errors/check-options.ts';
import type { Egress } from '../../contract/egress.ts';
import type { SinkTls } from '../login/tls-options.ts';
import { agentClosed, createHttpConnector, type HttpConnector, type HttpTarget } from './http-connector.ts';
import {
  createDispatcher,
  type DispatcherLimits,
  type HttpDispatcher,
  type OwnedDispatcher,
} from './http-dispatcher.ts';

export interface HttpAgentOptions {
  /**
   * How https is spoken, or a function that is asked at each connect, so that rotated material arrives. Where it gives something, http without TLS is
   * refused with TLS_FAILED, redirections included. Default: chain and host name are checked by the authorities that Node knows.
   */
  readonly tls?: SinkTls | (() => SinkTls | undefined);
  /** Limit for name resolution, TCP and TLS together, in milliseconds. Default 10 000. */
  readonly connectTimeoutMs?: number;
  /** Connections to one host and port; further requests wait. Default 16. */
  readonly maxSockets?: number;
  /** How long a connection is kept for the next request, in milliseconds; 0 keeps none. Default 4 000. */
  readonly idleTimeoutMs?: number;
}

/** Connections of one sink over HTTP/1.1, each dialled through its egress, whoever named the address. No proxy is used. */
export interface HttpAgent {
  /** For `node:http`. */
  readonly http: PlainAgent;
  /** For `node:https`. */
  readonly https: EncryptedAgent;
  /**
   * The `fetch` of the package `undici` 7, which must be installed, else SPEC_INVALID. It follows redirections unless told otherwise; what fails it stands in the `cause`
   * of its TypeError, where `createClassifier` finds it.
   */
  readonly fetch: (url: string | URL, init?: RequestInit) => Promise<Response>;
  /** For clients that take a dispatcher of `undici`, such as Node's own `fetch`: of the same package. */
  dispatcher(): Promise<HttpDispatcher>;
  /** Ends every connection and every request: those of fetch, and what waits, fail with ABORTED. Settles when no socket is left; may be called twice. */
  close(): Promise<void>;
}

const kinds: OptionKinds<HttpAgentOptions> = {
  tls: either(objectWith('for'), aFunction),
  connectTimeoutMs: aPositiveNumber,
  maxSockets: aPositiveNumber,
  idleTimeoutMs: aCount,
};

/** What Node's timers can hold; a longer one would fire at once. */
const maxTimeoutMs = 2 ** 31 - 1;

/** An agent for the clients of a sink that speak HTTP. Makes no connection until one is needed. */
export function createHttpAgent(egress: Egress, options?: HttpAgentOptions): HttpAgent {
  const {
    tls,
    connectTimeoutMs = 10_000,
    maxSockets = 16,
    idleTimeoutMs = 4_000,
  } = checkOptions<HttpAgentOptions>(options, kinds, { of: 'The options of createHttpAgent' });
  const connector = createHttpConnector({
    egress,
    tls: typeof tls === 'function' ? tls : () => tls,
    connectTimeoutMs: Math.min(connectTimeoutMs, maxTimeoutMs),
  });
  const limits = { maxSockets: Math.ceil(maxSockets), idleTimeoutMs: Math.min(idleTimeoutMs, maxTimeoutMs) };
  let made: Promise<OwnedDispatcher> | undefined;
  let closing: Promise<void> | undefined;

  const undici = async (): Promise<OwnedDispatcher> => {
    if (closing !== undefined) throw agentClosed();
    return (made ??= createDispatcher(connector, limits));
  };
  const close = async (): Promise<void> => {
    const owned = await made?.catch(() => undefined);
    await Promise.all([owned?.destroy(agentClosed()), connector.close()]);
  };

  return Object.freeze({
    http: withSockets(new PlainAgent(nodeOptions(limits)), connector, { ...limits, encrypted: false }),
    https: withSockets(new EncryptedAgent(nodeOptions(limits)), connector, { ...limits, encrypted: true }),
    fetch: async (url, init) => (await undici()).fetch(url, init),
    dispatcher: async () => (await undici()).dispatcher,
    close: () => (closing ??= close()),
  } satisfies HttpAgent);
}

function nodeOptions({ maxSockets, idleTimeoutMs }: DispatcherLimits): AgentOptions {
  return { maxSockets, maxFreeSockets: maxSockets, keepAlive: idleTimeoutMs > 0 };
}

/** Node's agent, with sockets of ours. Its option `timeout` would also tell each request of a time limit that nobody set. */
function withSockets<Agent extends PlainAgent>(
  agent: Agent,
  connector: HttpConnector,
  { encrypted, idleTimeoutMs }: DispatcherLimits & { readonly encrypted: boolean },
): Agent {
  const { keepSocketAlive, reuseSocket } = agent;
  return Object.assign(agent, {
    createConnection: (options: object) => connector.open(targetOf(options, encrypted)),
    keepSocketAlive: (socket: Socket) => {
      const kept: unknown = keepSocketAlive.call(agent, socket);
      // The server may have named a shorter time. The agent ends what is idle at its `timeout`.
      socket.setTimeout(Math.min(idleTimeoutMs, socket.timeout || idleTimeoutMs));
      return kept;
    },
    reuseSocket: (socket: Socket, request: ClientRequest) => {
      socket.setTimeout(0);
      reuseSocket.call(agent, socket, request);
    },
  });
}

function targetOf(options: object, encrypted: boolean): HttpTarget {
  const { host, port, servername } = options as Readonly<Record<string, unknown>>;
  return {
    host: typeof host === 'string' && host !== '' ? host.replace(/^\[(.*)\]$/u, '$1') : 'localhost',
    port: Number(port),
    encrypted,
    serverName: typeof servername === 'string' && servername !== '' ? servername : undefined,
  };
}
