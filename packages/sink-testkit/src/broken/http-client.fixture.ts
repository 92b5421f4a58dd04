import { once } from 'node:events';
import { Agent, request as send, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { callbackify } from 'node:util';
import type { SinkContext } from '@kollect/core';
import { tlsOptions, type ServerAddress } from '@kollect/core/authoring';

export interface HttpSpec {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

export type HttpContext = SinkContext<HttpSpec>;

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly signal: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

export type Send = (call: Call) => Promise<Answer>;

/** Where the client can be broken. */
export interface ClientRules {
  address(context: HttpContext): ServerAddress;
  dial(context: HttpContext, address: ServerAddress, signal: AbortSignal): Promise<Socket>;
  token(context: HttpContext): Promise<string>;
  around(send: Send, context: HttpContext): Send;
  /** What close does with the connections. */
  release(agent: Agent): void;
  readonly verifies: boolean;
}

export const goodClient: ClientRules = {
  address: ({ spec }) => spec,
  dial: ({ egress }, { host, port }, signal) => egress.dial({ host, port, signal }),
  token: async ({ credentials }) => (await credentials())['token'] ?? '',
  around: (send) => send,
  release: (agent) => agent.destroy(),
  verifies: true,
};

/** HTTP over connections of the egress, which are kept for the next request. */
export function createClient(context: HttpContext, rules: ClientRules): { send: Send; close: () => void } {
  const agent = new Agent({ keepAlive: true });
  const { host, port } = rules.address(context);

  const connection = async (signal: AbortSignal): Promise<Socket> => {
    const socket = await rules.dial(context, { host, port }, signal);
    if (!context.spec.tls) return socket;
    const tls = tlsOptions({ sinkType: 'web', tls: { mode: 'verify-full' }, material: await context.tls() });
    const secure = connectTls({ ...tls?.for(host), socket, rejectUnauthorized: rules.verifies });
    await once(secure, 'secureConnect', { signal });
    return secure;
  };

  const sendOnce: Send = async ({ method, path, headers, body, signal }) => {
    const token = await rules.token(context);
    agent.createConnection = (_options, callback) => {
      callbackify(connection)(signal, (error, socket) => callback?.(error, socket));
      return undefined;
    };
    const request = send({
      host,
      port,
      method,
      path,
      agent,
      signal,
      headers: { ...headers, authorization: `Bearer ${token}`, 'content-length': String(body?.byteLength ?? 0) },
    });
    request.end(body);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return { status: response.statusCode ?? 0, headers: response.headers, body: await buffer(response) };
  };
  return { send: rules.around(sendOnce, context), close: () => rules.release(agent) };
}
