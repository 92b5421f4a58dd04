import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { request } from 'node:http';
import { promisify } from 'node:util';

/** A container engine, by the variables that programs find it by. */
export interface Engine {
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

const START_MS = 900_000;

/**
 * The engine of DOCKER_HOST, or of Docker's usual socket; else the one that the program `starter` brings up, which prints
 * `export NAME=VALUE …` lines and takes the argument `down`. Undefined where there is none.
 */
export async function findEngine(starter: string | undefined): Promise<Engine | undefined> {
  for (const host of [process.env['DOCKER_HOST'], 'unix:///var/run/docker.sock']) {
    if (host !== undefined && (await answers(host))) return { env: { DOCKER_HOST: host }, stop: async () => undefined };
  }
  if (starter === undefined || !existsSync(starter)) return undefined;
  const run = promisify(execFile);
  const { stdout } = await run(starter, { timeout: START_MS, maxBuffer: 2 ** 26 });
  const env = readExports(stdout);
  if (!(await answers(env['DOCKER_HOST'] ?? ''))) throw new Error(`${starter} brought no engine up`);
  return { env, stop: () => run(starter, ['down'], { timeout: 60_000 }).then(() => undefined) };
}

/** The variables that lines such as `export A=1 B='2'` set. */
export function readExports(text: string): Readonly<Record<string, string>> {
  const lines = text.split('\n').filter((line) => line.startsWith('export '));
  const pairs = lines.flatMap((line) => [...line.matchAll(/(\w+)=(?:'([^']*)'|(\S*))/gu)]);
  return Object.fromEntries(pairs.map(([, name = '', quoted, plain = '']) => [name, quoted ?? plain]));
}

/** Whether an engine answers at `unix:///path` or `tcp://host:port`. */
function answers(host: string): Promise<boolean> {
  return new Promise((resolve) => {
    if (!URL.canParse(host)) return resolve(false);
    const { protocol, hostname, port, pathname } = new URL(host);
    const where = protocol === 'unix:' ? { socketPath: pathname } : { host: hostname, port };
    request({ ...where, path: '/_ping', timeout: 3_000 }, ({ statusCode }) => resolve(statusCode === 200))
      .on('timeout', () => resolve(false))
      .on('error', () => resolve(false))
      .end();
  });
}
