import { SinkError, type SinkOperation } from '../contract/errors.ts';

/** What a part of an operation does, and how long it may take. */
export interface StepLimits {
  /** For messages, to follow "while": `connecting to database "inventory"`. */
  readonly doing: string;
  /** In milliseconds. Absent: as long as the operation. */
  readonly timeoutMs?: number | undefined;
}

/** An operation in progress, or a step of one. It ends with its caller's signal, its time limit or the close of the sink. */
export interface OperationScope {
  readonly operation: SinkOperation;
  readonly doing: string;
  /** Aborts when the scope ends; its reason is the SinkError to throw. For clients that take a signal. */
  readonly signal: AbortSignal;
  /** The SinkError to throw, once the scope ended. */
  readonly ended: SinkError | undefined;
  /** Throws that error where the scope ended. */
  throwIfEnded(): void;
  /** The promise's outcome, or a rejection as soon as the scope ends. A later outcome of the promise is dropped. */
  unlessEnded<T>(promise: Promise<T>): Promise<T>;
  /** A part with words and a limit of its own, which ends with the whole. Rejects as soon as it ends, whether or not `work` does; errors of `work` arrive as they are. */
  step<T>(limits: StepLimits, work: (step: OperationScope) => Promise<T>): Promise<T>;
  /** What to throw for what was caught: the end of the scope where it ended, else what `classify` makes of it with the scope's own words. */
  failure(thrown: unknown): SinkError;
}

/** Whatever was thrown, as the sink's own error. */
export type Classify = (
  thrown: unknown,
  during: { readonly operation: SinkOperation; readonly doing: string },
) => SinkError;

export interface ScopeOptions extends StepLimits {
  readonly operation: SinkOperation;
  readonly sinkType: string;
  readonly classify: Classify | undefined;
}

export interface OwnedScope {
  readonly scope: OperationScope;
  /** Ends it with an error that knows what was done at the moment: `exporting inventory a/b, looking at the table`. */
  end(makeError: (doing: string) => SinkError): void;
  /** Nothing more will be asked of it: its timer goes. */
  release(): void;
}

/** What Node's timers can hold; a longer one would fire at once. */
const maxTimeoutMs = 2 ** 31 - 1;

interface Waiter {
  /** With a step. */
  readonly doing?: string;
  readonly end: (error: SinkError) => void;
}

export function openScope(options: ScopeOptions): OwnedScope {
  const { operation, doing, sinkType, classify, timeoutMs } = options;
  // Not listeners on a signal: these cost less, and most scopes are never asked for a signal.
  const waiters = new Set<Waiter>();
  let controller: AbortController | undefined;
  let ended: SinkError | undefined;
  let timer: NodeJS.Timeout | undefined;

  const endWith = (error: SinkError): void => {
    if (ended !== undefined) return;
    ended = error;
    clearTimeout(timer);
    controller?.abort(error);
    for (const waiter of waiters) waiter.end(error);
    waiters.clear();
  };
  const end: OwnedScope['end'] = (makeError) => endWith(makeError(describe(doing, waiters)));

  if (timeoutMs !== undefined)
    timer = setTimeout(
      () => end((what) => timedOut(what, timeoutMs, { sinkType, operation })),
      Math.min(timeoutMs, maxTimeoutMs),
    );

  const scope: OperationScope = {
    operation,
    doing,
    get signal() {
      if (controller === undefined) {
        controller = new AbortController();
        if (ended !== undefined) controller.abort(ended);
      }
      return controller.signal;
    },
    get ended() {
      return ended;
    },
    throwIfEnded: () => {
      if (ended !== undefined) throw ended;
    },
    unlessEnded: (promise) =>
      new Promise((resolve, reject) => {
        const waiter: Waiter = { end: reject };
        if (ended === undefined) waiters.add(waiter);
        else reject(ended);
        promise.then(
          (value) => {
            waiters.delete(waiter);
            resolve(value);
          },
          (error: unknown) => {
            waiters.delete(waiter);
            reject(error);
          },
        );
      }),
    step: async (limits, work) => {
      if (ended !== undefined) throw ended;
      const step = openScope({ ...options, timeoutMs: undefined, ...limits });
      const waiter: Waiter = { doing: limits.doing, end: (error) => step.end(() => error) };
      waiters.add(waiter);
      try {
        return await step.scope.unlessEnded(work(step.scope));
      } finally {
        waiters.delete(waiter);
        step.release();
      }
    },
    failure: (thrown) => {
      if (ended !== undefined) return ended;
      try {
        const error = classify === undefined ? thrown : classify(thrown, { operation, doing });
        return SinkError.from(error, { sinkType, operation });
      } catch (error) {
        return SinkError.from(error, { sinkType, operation });
      }
    },
  };
  return { scope, end, release: () => clearTimeout(timer) };
}

/** With the step that began last: the one that most likely did not come to an end. */
function describe(doing: string, waiters: ReadonlySet<Waiter>): string {
  let last: string | undefined;
  for (const waiter of waiters) last = waiter.doing ?? last;
  return last === undefined || last === doing ? doing : `${doing}, ${last}`;
}

interface ErrorFields {
  readonly sinkType: string;
  readonly operation: SinkOperation;
}

function timedOut(doing: string, timeoutMs: number, fields: ErrorFields): SinkError {
  return new SinkError('TIMEOUT', `Gave up ${doing} after ${timeoutMs} ms without an answer.`, fields);
}
