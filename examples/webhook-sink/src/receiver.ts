import { timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readBody } from '@kollect/core/authoring';
import { sign } from './signature.ts';

const toleranceMs = 5 * 60_000;

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
    const said = (name: string): string => [request.headers[name] ?? ''].flat().join();
    const key = said('idempotency-key');
    if (key === '' || !isSigned(secrets(), key, body, said('kollect-signature'))) return 401;
    if (seen.has(key)) return 200;
    const status = onEvent(said('ce-type'), body);
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

/** Whether one of the secrets signed it in the last minutes. While a secret is rotated, both are good. */
function isSigned(secrets: readonly string[], key: string, body: Uint8Array, signature: string): boolean {
  const seconds = Number(/^t=(\d{1,12}),/u.exec(signature)?.[1]);
  if (!(Math.abs(Date.now() - seconds * 1000) < toleranceMs)) return false;
  const given = Buffer.from(signature);
  return secrets.some((secret) => {
    const expected = Buffer.from(sign(secret, key, body, seconds));
    return expected.length === given.length && timingSafeEqual(expected, given);
  });
}
