import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { endProcess, signalProcess, stopProcess, tailOf, type UnprivilegedUser } from './processes.ts';
import { watch } from './watchdog.ts';

export interface ProcessOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly directory: string;
  readonly log: string;
  readonly user: UnprivilegedUser | undefined;
}

/** A program that ends with this process, however this one ends. */
export interface WatchedProcess {
  readonly running: () => boolean;
  readonly logTail: () => Promise<string>;
  launch(): Promise<void>;
  kill(): Promise<void>;
  freeze(): Promise<void>;
  thaw(): void;
}

export function createWatchedProcess({ command, args, directory, log, user }: ProcessOptions): WatchedProcess {
  let child: ChildProcess | undefined;
  let unwatch = (): void => undefined;
  const running = (): boolean => child?.pid !== undefined && child.exitCode === null && child.signalCode === null;
  return {
    running,
    logTail: () => tailOf(log),
    launch: async () => {
      const output = await open(log, 'a', 0o600);
      child = spawn(command, args, {
        ...user,
        cwd: directory,
        detached: true,
        stdio: ['ignore', output.fd, output.fd],
      });
      child.unref();
      await Promise.all([once(child, 'spawn'), output.close()]);
      unwatch();
      if (child.pid !== undefined) unwatch = watch({ process: { pid: child.pid, signal: 'SIGKILL' } });
    },
    kill: async () => {
      if (child?.pid === undefined || !running()) return;
      const exited = once(child, 'exit');
      child.ref();
      await endProcess(child.pid, 'SIGKILL', 10_000);
      await exited;
      unwatch();
    },
    freeze: async () => {
      if (child?.pid !== undefined) await stopProcess(child.pid);
    },
    thaw: () => {
      if (child?.pid !== undefined) signalProcess(child.pid, 'SIGCONT');
    },
  };
}
