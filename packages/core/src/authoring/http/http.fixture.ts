import { once } from 'node:events';
import {
  createServer as createPlain,
  request as plainRequest,
  type IncomingMessage,
  type RequestListener,
} from 'node:http';
import { createServer as createEncrypted, request as encryptedRequest, type ServerOptions } from 'node:https';
import { createServer as createTcp, type AddressInfo, type Server, type Socket } from 'node:net';
import type { HttpAgent } from './http-agent.ts';
import { readBody } from './read-body.ts';

/** A server on 127.0.0.1 that knows who is connected. */
export interface TestServer {
  readonly port: number;
  /** Connections that are open. */
  readonly open: ReadonlySet<Socket>;
  readonly accepted: () => number;
  stop(): Promise<void>;
}

async function listening(server: Server): Promise<TestServer> {
  const open = new Set<Socket>();
  let accepted = 0;
  server.on('connection', (socket: Socket) => {
    accepted += 1;
    open.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => open.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    open,
    accepted: () => accepted,
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      open.forEach((socket) => socket.destroy());
      await closed;
    },
  };
}

export const startHttp = (handle: RequestListener): Promise<TestServer> => listening(createPlain(handle));

export const startHttps = (options: ServerOptions, handle: RequestListener): Promise<TestServer> => {
  const server = createEncrypted(options, handle);
  server.on('tlsClientError', () => undefined);
  return listening(server);
};

/** Whatever the request, `answer` is given the socket once something of it arrived. */
export const startRaw = (answer: (socket: Socket) => void): Promise<TestServer> =>
  listening(createTcp((socket) => socket.once('data', () => answer(socket)).resume()));

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** A client of the agent, as sinks use one. */
export type Client = (agent: HttpAgent, url: string, options?: { readonly signal?: AbortSignal }) => Promise<Answer>;

const maxBytes = 1_000_000;
const textOf = async (body: AsyncIterable<Uint8Array> | null): Promise<string> =>
  Buffer.from(await readBody(body, { maxBytes })).toString();

export const clients: readonly (readonly [string, Client])[] = [
  [
    'node:http',
    async (agent, url, options) => {
      const send = url.startsWith('https:') ? encryptedRequest : plainRequest;
      const request = send(url, { agent: url.startsWith('https:') ? agent.https : agent.http, ...options });
      // Whatever comes after the answer is an error of the answer as well.
      request.on('error', () => undefined);
      request.end();
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      return { status: response.statusCode ?? 0, body: await textOf(response) };
    },
  ],
  [
    'fetch',
    async (agent, url, options) => {
      const response = await agent.fetch(url, options);
      return { status: response.status, body: await textOf(response.body) };
    },
  ],
];

/** What the promise rejects with. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error('expected a failure');
    },
    (error: unknown) => error,
  );
}
