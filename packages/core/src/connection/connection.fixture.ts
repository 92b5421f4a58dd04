import type { LookupAddress } from 'node:dns';
import { once } from 'node:events';
import { createServer, isIP, type AddressInfo, type LookupFunction, type Server } from 'node:net';
import { SinkError } from '../contract/errors/errors.ts';

/** A lookup that knows these names alone; each call takes the next answer of its name, the last one for ever. */
export function fakeLookup(
  answers: Readonly<Record<string, readonly string[][]>>,
): LookupFunction & { readonly asked: string[] } {
  const asked: string[] = [];
  const lookup: LookupFunction = (hostname, _, callback) => {
    const known = answers[hostname] ?? [];
    const addresses = known[Math.min(asked.filter((name) => name === hostname).length, known.length - 1)];
    asked.push(hostname);
    setImmediate(() => {
      if (addresses === undefined)
        callback(Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), { code: 'ENOTFOUND' }), '');
      else
        callback(
          null,
          addresses.map((address): LookupAddress => ({ address, family: isIP(address) })),
        );
    });
  };
  return Object.assign(lookup, { asked });
}

/** A local server that greets with its own address, and how many connections it took. */
export async function startServer(
  host = '127.0.0.1',
): Promise<{ readonly port: number; readonly accepted: () => number; stop(): Promise<void> }> {
  let accepted = 0;
  const server: Server = createServer((socket) => {
    accepted += 1;
    socket.on('error', () => undefined);
    socket.end(`hello from ${host}`);
  });
  server.listen(0, host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    accepted: () => accepted,
    stop: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}

/** A port at which nobody listens. */
export async function closedPort(): Promise<number> {
  const server = await startServer();
  await server.stop();
  return server.port;
}

/** What the promise rejects with, as a SinkError. */
export async function rejection(promise: Promise<unknown>): Promise<SinkError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (SinkError.isInstance(error)) return error;
  throw new Error(`expected a SinkError, got ${String(error)}`);
}
