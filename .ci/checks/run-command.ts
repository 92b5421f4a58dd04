import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly limitSeconds: number;
}

const running = new Set<number>();

/** Runs a command in a process group of its own, its output on ours; the exit code, or a line that says why there is none. */
export async function runCommand(
  command: readonly string[],
  { env = {}, limitSeconds }: CommandOptions,
): Promise<number | string> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...env },
    detached: true,
  });
  const { pid } = child;
  if (pid === undefined) return `${program} cannot be started`;
  running.add(pid);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    endGroup(pid);
  }, limitSeconds * 1_000);
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  clearTimeout(timer);
  running.delete(pid);
  if (late) return `ended after ${limitSeconds} s`;
  return code ?? `ended by ${String(signal)}`;
}

/** Ends everything that `runCommand` started and that still runs. */
export function endCommands(): void {
  for (const pid of running) endGroup(pid);
}

function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended meanwhile.
  }
}
