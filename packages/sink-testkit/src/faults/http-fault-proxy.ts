import { once } from 'node:events';
import {
  createServer,
  request as send,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the proxy answers in the place of the store. */
export interface HttpAnswer {
  readonly status: number;
  /** Beside the status. Default: what it is called. */
  readonly reason?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** A request as it came in. */
export interface HttpRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** What is answered in the place of the store; undefined asks the store. It may take its time. */
export type AnswerRule = (request: HttpRequest) => HttpAnswer | undefined | Promise<HttpAnswer | undefined>;

/** A proxy for HTTP on 127.0.0.1 that passes everything on, and answers for the store when told to. */
export interface HttpFaultProxy {
  readonly host: string;
  readonly port: number;
  /** All requests since the start, in the order in which they had arrived whole. */
  readonly requests: readonly HttpRequest[];
  /** Asked for each request; what it gives is answered and the store is not asked, undefined passes the request on. */
  answerWith(rule: AnswerRule): void;
  /** Ends `answerWith`. */
  pass(): void;
  close(): Promise<void>;
}

export interface HttpFaultProxyOptions {
  readonly target: { readonly host: string; readonly port: number };
}

/** Starts a proxy that leads to the target and passes everything on. */
export async function startHttpFaultProxy({ target }: HttpFaultProxyOptions): Promise<HttpFaultProxy> {
  const host = '127.0.0.1';
  const requests: HttpRequest[] = [];
  let rule: AnswerRule = () => undefined;

  const handle = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const { method = 'GET', url = '/', headers } = incoming;
    const request = { method, path: url, headers, body: await bytesOf(incoming) };
    requests.push(request);
    const answer = await rule(request);
    if (answer === undefined) return passOn(request, outgoing, target);
    if (answer.reason !== undefined) outgoing.statusMessage = answer.reason;
    outgoing.writeHead(answer.status, { ...answer.headers });
    outgoing.end(answer.body);
  };
  const server = createServer((incoming, outgoing) => {
    handle(incoming, outgoing).catch(() => outgoing.destroy());
  });
  server.listen(0, host);
  await once(server, 'listening');
  return {
    host,
    port: (server.address() as AddressInfo).port,
    requests,
    answerWith: (next) => {
      rule = next;
    },
    pass: () => {
      rule = () => undefined;
    },
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function passOn(
  { method, path, headers, body }: HttpRequest,
  outgoing: ServerResponse,
  target: HttpFaultProxyOptions['target'],
): Promise<void> {
  const { 'transfer-encoding': _, ...kept } = headers;
  const asked = send({
    ...target,
    method,
    path,
    headers: { ...kept, ...(body.length > 0 ? { 'content-length': String(body.length) } : {}) },
    agent: false,
  });
  asked.end(body);
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
  answer.pipe(outgoing);
  await once(answer, 'close');
}

async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
