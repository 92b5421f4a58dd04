import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createEncrypted, type ServerOptions } from 'node:https';
import { createServer as createTcp, type AddressInfo, type Server, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import type { KubeConfigSource } from './kube-config.ts';

export interface SeenRequest {
  readonly line: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface TestApiServer {
  readonly url: string;
  readonly seen: readonly SeenRequest[];
  /** Connections that are open. */
  readonly open: ReadonlySet<Socket>;
  readonly accepted: () => number;
  stop(): Promise<void>;
}

export type Answer = (response: ServerResponse, request: SeenRequest) => unknown;

/** A server on 127.0.0.1 that answers as it is told. */
export async function startServer(answer: Answer, tls?: ServerOptions): Promise<TestApiServer> {
  const seen: SeenRequest[] = [];
  const handle: RequestListener = (request, response) => {
    response.on('error', () => undefined);
    text(request).then(
      (body) => {
        const one = { line: `${request.method} ${request.url}`, headers: request.headers, body };
        seen.push(one);
        answer(response, one);
      },
      () => undefined,
    );
  };
  const server = tls === undefined ? createServer(handle) : createEncrypted(tls, handle);
  // Whoever ends an idle connection is not the server.
  server.keepAliveTimeout = 0;
  return listening(server, tls === undefined ? 'http' : 'https', seen);
}

/** Whatever is asked, `answer` is given the socket once something of it arrived. */
export function startRaw(answer: (socket: Socket) => void): Promise<TestApiServer> {
  return listening(
    createTcp((socket) => socket.once('data', () => answer(socket)).resume()),
    'http',
    [],
  );
}

async function listening(server: Server, scheme: string, seen: readonly SeenRequest[]): Promise<TestApiServer> {
  const open = new Set<Socket>();
  let accepted = 0;
  server.on('tlsClientError', () => undefined);
  server.on('connection', (socket: Socket) => {
    accepted += 1;
    open.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => open.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `${scheme}://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    seen,
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

/** As client-node gives it, for a server without TLS. */
export function configFor(server: string, headers: () => object = () => ({})): KubeConfigSource {
  return {
    getCurrentCluster: () => ({ server, skipTLSVerify: true }),
    applyToHTTPSOptions: async (options) => {
      options.headers = { ...headers() };
    },
  };
}

export const json = (response: ServerResponse, value: unknown, status = 200, headers = {}): void =>
  void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
