import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { chmod, chown, mkdtemp, open, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** The user a server process runs as; both ids are numbers of the operating system. */
export interface UnprivilegedUser {
  readonly uid: number;
  readonly gid: number;
}

/** The user to run a server as when this process is root, which PostgreSQL and PgBouncer refuse; otherwise undefined: the same user. */
export function unprivilegedUser(): UnprivilegedUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  // The user must have an entry in passwd: initdb looks its own name up.
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const [, , uid, gid] = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody') ?? [];
  if (uid === undefined || gid === undefined) {
    throw new Error(
      'Servers cannot run as root, and /etc/passwd has neither a user "postgres" nor "nobody" to run them as: add one.',
    );
  }
  return { uid: Number(uid), gid: Number(gid) };
}

/** True when users other than the owner may pass through every directory above the path. */
export function reachableByOthers(path: string): boolean {
  for (let directory = dirname(resolve(path)); ; directory = dirname(directory)) {
    if ((statSync(directory).mode & 0o001) === 0) return false;
    if (directory === dirname(directory)) return true;
  }
}

/** A new directory for a server's files, owned by the user it runs as; a TMPDIR below /root is not for it. */
export async function serverDirectory(name: string, user: UnprivilegedUser | undefined): Promise<string> {
  const base = await realpath(tmpdir());
  const directory = await mkdtemp(
    join(user && !reachableByOthers(join(base, '_')) ? '/tmp' : base, `kollect-${name}-`),
  );
  if (user) {
    await chmod(directory, 0o711);
    await chown(directory, user.uid, user.gid);
  }
  return directory;
}

/** True while the process exists; one that has ended but that nobody has collected yet counts as gone. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
  try {
    return stateIn(`/proc/${pid}/stat`) !== 'Z';
  } catch {
    return process.platform !== 'linux';
  }
}

/**
 * Stops the process; resolves when none of its threads runs any more. SIGSTOP reaches one thread, which stops the others once it has its turn:
 * on a busy machine they answer requests until then.
 */
export async function stopProcess(pid: number, patienceMs = 10_000): Promise<void> {
  signalProcess(pid, 'SIGSTOP');
  for (const end = Date.now() + patienceMs; !isStopped(pid); await sleep(5)) {
    if (Date.now() > end) throw new Error(`Process ${pid} still runs ${patienceMs} ms after it was told to stop.`);
  }
}

function isStopped(pid: number): boolean {
  if (process.platform !== 'linux')
    return execFileSync('ps', ['-o', 'state=', '-p', String(pid)], { encoding: 'utf8' }).startsWith('T');
  try {
    return readdirSync(`/proc/${pid}/task`).every((thread) => stateIn(`/proc/${pid}/task/${thread}/stat`) === 'T');
  } catch {
    // A thread ended meanwhile.
    return false;
  }
}

/** The letter for the state of a thread, after its name, which may hold anything. */
function stateIn(path: string): string {
  const status = readFileSync(path, 'utf8');
  return status.charAt(status.lastIndexOf(')') + 2);
}

/** The direct children of a process, as far as the system tells. */
export function childrenOf(pid: number): number[] {
  try {
    return pids(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'));
  } catch {
    // Not Linux, or a kernel without this file.
  }
  try {
    const rows = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).split('\n').map(pids);
    return rows.flatMap(([child, parent]) => (parent === pid && child !== undefined ? [child] : []));
  } catch {
    return [];
  }
}

function pids(text: string): number[] {
  return text.trim().split(/\s+/).filter(Boolean).map(Number);
}

/** Sends the signal; a process that is gone already is fine. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error;
  }
}

/** Asks the process to end with the signal, and after `patienceMs` ends it with SIGKILL; resolves when it is gone. */
export async function endProcess(pid: number, signal: NodeJS.Signals, patienceMs: number): Promise<void> {
  signalProcess(pid, signal);
  for (const end = Date.now() + patienceMs; isRunning(pid); await sleep(25)) {
    if (Date.now() > end) signalProcess(pid, 'SIGKILL');
  }
}

/** The `code` of an error of the operating system, such as ESRCH. */
export function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}

/** The last lines of a server's log, for an error message; empty when there is no log. */
export async function tailOf(path: string, bytes = 3_000): Promise<string> {
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return '';
  try {
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(bytes), position: Math.max(0, size - bytes) });
    return buffer.toString('utf8', 0, bytesRead).trim();
  } finally {
    await file.close();
  }
}

/** What a command that failed had printed, its standard error first. */
export function outputOf(error: unknown): string {
  // Not by instanceof: jest's errors and those of Node come from two worlds.
  if (typeof error !== 'object' || error === null) return '';
  const { stderr, stdout }: { stderr?: unknown; stdout?: unknown } = error;
  return [stderr, stdout]
    .filter((output) => typeof output === 'string')
    .join('')
    .trim();
}
