import { SinkError, type SinkOperation } from '../contract/errors.ts';
import { createEnding, type Ending } from './ending.ts';

/** What a part of an operation does, and how long it may take. */
export interface StepLimits {
  /** For messages, to follow "while": `connecting to database "inventory"`. */
  readonly doing: string;
  /** In milliseconds. Absent: as long as the operation. */
  readonly timeoutMs?: number | undefined;
}

/** An operation in progress, or a step of one. It ends with its caller's signal, its time limit or the close of the sink. */
export interface OperationScope extends Ending {
  readonly operation: SinkOperation;
  readonly doing: string;
  /** Aborts when the scope ends; its reason is the SinkError to throw. For clients that take a signal. */
  readonly signal: AbortSignal;
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

export function openScope(options: ScopeOptions): OwnedScope {
  const { operation, doing, sinkType, classify, timeoutMs } = options;
  const ending = createEnding();
  const { unlessEnded, onEnd, throwIfEnded } = ending;
  const steps = new Set<StepLimits>();
  let controller: AbortController | undefined;
  let timer: NodeJS.Timeout | undefined;

  const end: OwnedScope['end'] = (makeError) => {
    if (ending.ended !== undefined) return;
    clearTimeout(timer);
    const error = makeError(describe(doing, steps));
    ending.end(error);
    controller?.abort(error);
  };

  if (timeoutMs !== undefined)
    timer = setTimeout(
      () => end((what) => timedOut(what, timeoutMs, { sinkType, operation })),
      Math.min(timeoutMs, maxTimeoutMs),
    );

  const scope: OperationScope = {
    operation,
    doing,
    unlessEnded,
    onEnd,
    throwIfEnded,
    get ended() {
      return ending.ended;
    },
    // Most scopes are never asked for one.
    get signal() {
      if (controller === undefined) {
        controller = new AbortController();
        if (ending.ended !== undefined) controller.abort(ending.ended);
      }
      return controller.signal;
    },
    step: async (limits, work) => {
      throwIfEnded();
      const step = openScope({ ...options, timeoutMs: undefined, ...limits });
      const follow = onEnd((error) => step.end(() => error));
      steps.add(limits);
      try {
        return await step.scope.unlessEnded(work(step.scope));
      } finally {
        steps.delete(limits);
        follow();
        step.release();
      }
    },
    failure: (thrown) => {
      if (ending.ended !== undefined) return ending.ended;
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
function describe(doing: string, steps: ReadonlySet<StepLimits>): string {
  const last = [...steps].at(-1)?.doing;
  return last === undefined || last === doing ? doing : `${doing}, ${last}`;
}

interface ErrorFields {
  readonly sinkType: string;
  readonly operation: SinkOperation;
}

function timedOut(doing: string, timeoutMs: number, fields: ErrorFields): SinkError {
  return new SinkError('TIMEOUT', `Gave up ${doing} after ${timeoutMs} ms without an answer.`, fields);
}
