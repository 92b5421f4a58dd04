import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readBody } from '@kollect/core/authoring';
import { isSigned } from './signature.ts';

export interface ReceiverOptions {
  /** Secrets that are good now. */
  readonly secrets: () => readonly string[];
  /** A document or a removal that is new, as JSON. What it returns is the status to answer with. */
  readonly onEvent: (type: string, body: Buffer) => number;
}

/** The other end, as small as it may be: checks signatures, and takes each event once. */
export async function startReceiver({ secrets, onEvent }: ReceiverOptions) {
  const seen = new Set<string>();
  const take = async (request: IncomingMessage): Promise<number> => {
    const body = Buffer.from(await readBody(request, { maxBytes: 64 * 1024 * 1024 }));
    const [key, signature, type] = ['idempotency-key', 'kollect-signature', 'ce-type'].map((name) =>
      String(request.headers[name]),
    );
    if (key === undefined || !isSigned(secrets(), key, body, signature ?? '')) return 401;
    if (seen.has(key)) return 200;
    const status = onEvent(type ?? '', body);
    if (status < 300) seen.add(key);
    return status;
  };
  const server = createServer((request, response) => {
    take(request).then(
      (status) => response.writeHead(status).end(),
      () => response.destroy(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    /** Lets the process end while it listens. */
    unref: () => server.unref(),
    close: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
