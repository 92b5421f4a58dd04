import { randomInt } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codeOf, isRunning } from './processes.ts';

// Below every system's ephemeral range: no outgoing connection can take the port while its server restarts.
const LOWEST = 15_000;
const HIGHEST = 30_000;
const REACHED_WITHIN_MS = 2_000;

/** A TCP port of 127.0.0.1 that nothing listens on, where whoever listens is reached, that outgoing connections do not use, and that no other process of the tests was given. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const port = randomInt(LOWEST, HIGHEST);
    if (claim(port) && (await isFree(port))) return port;
  }
  throw new Error(`No free TCP port found between ${LOWEST} and ${HIGHEST} on 127.0.0.1.`);
}

/** Some servers listen on a port long after they were given it: a file says meanwhile, and for as long as its process lives, whose it is. */
function claim(port: number): boolean {
  const directory = join(tmpdir(), `kollect-ports-${process.getuid?.() ?? 'all'}`);
  const path = join(directory, String(port));
  mkdirSync(directory, { recursive: true });
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    // Of a process that is gone: the next who draws this port may have it.
    if (!isRunning(ownerOf(path))) rmSync(path, { force: true });
    return false;
  }
}

function ownerOf(path: string): number {
  try {
    return Number(readFileSync(path, 'utf8')) || process.pid;
  } catch {
    return process.pid;
  }
}

/** A container that is gone may have left its forwarding: such a port can be listened on, and nobody gets there. */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => {
      const probe = connect({ port, host: '127.0.0.1', timeout: REACHED_WITHIN_MS });
      const end = (reached: boolean): void => {
        probe.destroy();
        server.close(() => resolve(reached));
      };
      server.once('connection', () => end(true));
      probe.once('timeout', () => end(false));
      probe.once('error', () => end(false));
    });
  });
}
