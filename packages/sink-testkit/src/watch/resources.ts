import { AsyncLocalStorage, createHook } from 'node:async_hooks';

/** Sockets, files, timers, processes and threads that a call made, also in what it started. */
export interface ResourceWatch {
  run<T>(call: () => T): T;
  /** Kinds of all that were made so far, such as `Timeout`. */
  made(): readonly string[];
  /** Kinds of those that keep the process alive at the moment. */
  holding(): readonly string[];
  stop(): void;
}

/** What is no promise and no tick: work that is left to the system, or to a timer. */
const kinds =
  /^(?:Timeout|Immediate|(?:TCP|PIPE|TLS|UDP|TTY|PROCESS|SIGNAL|QUERY|FSEVENT|STATWATCHER|JSSTREAM)(?:CONNECT|SERVER)?WRAP|TCPCONNECTWRAP|PIPECONNECTWRAP|UDPSENDWRAP|FSREQ\w+|FILEHANDLE\w*|DIRHANDLE|GETADDRINFOREQWRAP|GETNAMEINFOREQWRAP|DNSCHANNEL|WORKER|MESSAGEPORT|HTTPCLIENTREQUEST|HTTP2SESSION|FSEVENTWRAP|STATWATCHER)$/u;

interface Held {
  readonly kind: string;
  readonly resource: WeakRef<object>;
}

const calls = new AsyncLocalStorage<object>();

export function watchResources(): ResourceWatch {
  const self = {};
  const made: string[] = [];
  const alive = new Map<number, Held>();
  const hook = createHook({
    init: (id, kind, _trigger, resource) => {
      if (calls.getStore() !== self || !kinds.test(kind)) return;
      made.push(kind);
      alive.set(id, { kind, resource: new WeakRef(resource) });
    },
    destroy: (id) => void alive.delete(id),
  }).enable();
  return {
    run: (call) => calls.run(self, call),
    made: () => [...made],
    holding: () =>
      [...alive.values()].flatMap(({ kind, resource }) => {
        const handle: { readonly hasRef?: () => boolean } | undefined = resource.deref();
        return handle?.hasRef?.() === true ? [kind] : [];
      }),
    stop: () => void hook.disable(),
  };
}
