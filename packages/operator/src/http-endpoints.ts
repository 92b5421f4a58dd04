import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { OperatorHealth } from '@kollect/kubernetes';
import type { Registry } from 'prom-client';

export interface EndpointOptions {
  readonly port: number;
  readonly host?: string | undefined;
  readonly register: Registry;
  readonly health: () => OperatorHealth;
}

export interface HttpEndpoints {
  readonly port: number;
  close(): Promise<void>;
}

/** Serves `/metrics`, `/healthz` and `/readyz`, and nothing else. */
export async function serveEndpoints({ port, host, register, health }: EndpointOptions): Promise<HttpEndpoints> {
  const verdict = (isWell: boolean) => ({
    status: isWell ? 200 : 503,
    type: 'text/plain',
    text: isWell ? 'ok\n' : 'no\n',
  });
  const answers: Readonly<Record<string, () => Promise<{ status: number; type: string; text: string }>>> = {
    '/metrics': async () => ({ status: 200, type: register.contentType, text: await register.metrics() }),
    '/healthz': async () => verdict(health().live),
    '/readyz': async () => verdict(health().ready),
  };
  const server = createServer((request, response) => {
    const [path = ''] = (request.url ?? '').split('?');
    const answer = Object.hasOwn(answers, path) ? answers[path] : undefined;
    request.resume();
    response.on('error', () => undefined);
    if (answer === undefined) response.writeHead(404).end();
    else if (request.method !== 'GET' && request.method !== 'HEAD') response.writeHead(405).end();
    else
      answer().then(
        ({ status, type, text }) => response.writeHead(status, { 'content-type': type }).end(text),
        () => response.writeHead(500).end(),
      );
  });
  server.headersTimeout = 5_000;
  server.requestTimeout = 10_000;
  server.maxConnections = 100;
  server.listen(port, host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
