import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

// Below every system's ephemeral range: no outgoing connection can take the port while its server restarts.
const LOWEST = 15_000;
const HIGHEST = 30_000;

/** A server asks for all of its ports before it listens on the first. */
const given = new Set<number>();

/** A TCP port of 127.0.0.1 that nothing listens on and that outgoing connections do not use. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const port = randomInt(LOWEST, HIGHEST);
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) return port;
  }
  throw new Error(`No free TCP port found between ${LOWEST} and ${HIGHEST} on 127.0.0.1.`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
