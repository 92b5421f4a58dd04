import { spawn, type ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';

/** What must not outlive this process: a process, a container by name, a network by id, a directory; any of them. */
export interface WatchedResource {
  readonly process?: { readonly pid: number; readonly signal: NodeJS.Signals };
  readonly container?: string;
  readonly network?: string;
  readonly directory?: string;
}

/** One line that the watchdog process reads from its standard input. */
export interface WatchdogMessage {
  readonly id: number;
  /** Left away when the resource of this id is no longer to be watched. */
  readonly resource?: WatchedResource;
}

let watchdog: ChildProcess | undefined;
let lastId = 0;

/**
 * Has the resource removed when this process ends in whatever way, SIGKILL included: a detached process holds the other end
 * of a pipe and cleans up when it closes. Call the returned function once the resource is gone or is to stay.
 */
export function watch(resource: WatchedResource): () => void {
  lastId += 1;
  const id = lastId;
  send({ id, resource });
  return () => send({ id });
}

function send(message: WatchdogMessage): void {
  watchdog ??= start();
  watchdog.stdin?.write(`${JSON.stringify(message)}\n`);
}

function start(): ChildProcess {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const child = spawn(process.execPath, [fileURLToPath(new URL('watchdog-process.ts', import.meta.url))], {
    // Its own session: Ctrl-C in the terminal reaches the test run and not the watchdog.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    env,
    cwd: '/',
  });
  child.on('error', () => undefined);
  child.stdin.on('error', () => undefined);
  child.once('exit', () => {
    if (watchdog === child) watchdog = undefined;
  });
  // Neither the process nor the pipe keeps the test run alive.
  child.unref();
  if (child.stdin instanceof Socket) child.stdin.unref();
  return child;
}
