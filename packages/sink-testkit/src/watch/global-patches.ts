import { Socket } from 'node:net';

/** What is told of every call, whoever made it, while patches are in place. */
export interface Watcher {
  onConnect(socket: Socket, given: readonly unknown[]): void;
  onWrite(chunk: unknown): void;
  onOutput(where: string, text: unknown): void;
}

const watchers = new Set<Watcher>();
let undo: (() => void) | undefined;

/** Patches sockets, console, stdout and stderr of this process as long as somebody watches. */
export function watchGlobals(watcher: Watcher): () => void {
  watchers.add(watcher);
  undo ??= patch();
  return () => {
    watchers.delete(watcher);
    if (watchers.size > 0) return;
    undo?.();
    undo = undefined;
  };
}

type Method = (this: unknown, ...given: unknown[]) => unknown;

function patch(): () => void {
  const tell = (call: (watcher: Watcher) => void): void => watchers.forEach(call);
  const undone = [
    before(Socket.prototype, 'connect', (socket, given) =>
      tell((watcher) => watcher.onConnect(socket as Socket, given)),
    ),
    before(Socket.prototype, 'write', (_, [chunk]) => tell((watcher) => watcher.onWrite(chunk))),
    ...(['stdout', 'stderr'] as const).map((name) =>
      before(process[name], 'write', (_, [text]) => tell((watcher) => watcher.onOutput(`process.${name}`, text))),
    ),
    ...(['log', 'info', 'warn', 'error', 'debug', 'trace', 'dir', 'table'] as const).map((name) =>
      before(console, name, (_, given) => tell((watcher) => watcher.onOutput(`console.${name}`, given[0]))),
    ),
  ];
  return () => undone.forEach((back) => back());
}

/** Calls `tell` before each call of the method, whose own result stays. */
function before(target: object, name: string, tell: (self: unknown, given: readonly unknown[]) => void): () => void {
  const own = Object.getOwnPropertyDescriptor(target, name);
  const original = (target as Record<string, Method>)[name];
  if (original === undefined) return () => undefined;
  const patched: Method = function patched(...given) {
    tell(this, given);
    return original.apply(this, given);
  };
  Object.defineProperty(target, name, { value: patched, configurable: true, writable: true });
  return () => {
    if (own === undefined) Reflect.deleteProperty(target, name);
    else Object.defineProperty(target, name, own);
  };
}
