import { request as plainRequest, type ClientRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { request as encryptedRequest } from 'node:https';
import type { Socket } from 'node:net';
import type { ApiCall } from '../api-error.ts';
import type { ServerLogin } from './kube-config.ts';
import type { ServerAgents } from './server-agent.ts';

export interface ServerRequest {
  readonly call: ApiCall;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With query, below the server's own path. */
  readonly path: string;
  /** Default JSON as it is. */
  readonly accept?: string;
  /** Default JSON, where there is a body. */
  readonly contentType?: string;
  readonly body?: object;
  readonly signal: AbortSignal;
}

export interface SendOptions {
  readonly login: ServerLogin;
  readonly agents: ServerAgents;
  readonly connectTimeoutMs: number;
  /** Given the request before anything is sent. */
  readonly hold: (request: ClientRequest) => void;
}

/** Resolves when the answer begins. Redirections are not followed. */
export function sendRequest(given: ServerRequest, options: SendOptions): Promise<IncomingMessage> {
  const { login, agents, connectTimeoutMs, hold } = options;
  return new Promise((resolve, reject) => {
    const encrypted = login.url.protocol === 'https:';
    const body = given.body === undefined ? undefined : Buffer.from(JSON.stringify(given.body));
    const request = (encrypted ? encryptedRequest : plainRequest)({
      ...login.options,
      protocol: login.url.protocol,
      hostname: login.url.hostname.replace(/^\[(.*)\]$/u, '$1'),
      ...(login.url.port === '' ? {} : { port: login.url.port }),
      path: login.url.pathname.replace(/\/$/u, '') + given.path,
      method: given.method,
      headers: headersOf(given, login, body),
      agent: login.agent ?? (encrypted ? agents.https : agents.http),
    });
    // Stays for good: an error that comes while nobody waits must not end the process.
    request.on('error', reject);
    request.once('response', (response) => {
      response.on('error', reject);
      resolve(response);
    });
    request.once('socket', (socket) => limitConnect(socket, encrypted, connectTimeoutMs));
    hold(request);
    request.end(body);
  });
}

function headersOf({ accept, contentType }: ServerRequest, login: ServerLogin, body?: Buffer): OutgoingHttpHeaders {
  // A token that comes from a file may end with a newline.
  const own = Object.entries(login.headers).map(([name, value]) => [
    name,
    typeof value === 'string' ? value.trim() : value,
  ]);
  return {
    ...(Object.fromEntries(own) as OutgoingHttpHeaders),
    accept: accept ?? 'application/json',
    'user-agent': 'kollect',
    ...(body === undefined ? {} : { 'content-type': contentType ?? 'application/json', 'content-length': body.length }),
  };
}

function limitConnect(socket: Socket, encrypted: boolean, ms: number): void {
  if (!socket.connecting) return;
  const timer = setTimeout(() => socket.destroy(Object.assign(new Error('Too slow.'), { code: 'ETIMEDOUT' })), ms);
  const settle = (): void => clearTimeout(timer);
  socket.once(encrypted ? 'secureConnect' : 'connect', settle);
  socket.once('close', settle);
}
