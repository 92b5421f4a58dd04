import { SinkError, type SinkOperation } from '../../contract/errors/errors.ts';
import { EndingState, type Ending } from './ending.ts';

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

/** The scope, for whoever opened it. */
export interface OwnedScope extends OperationScope {
  /** Ends it with an error that knows what was done at the moment: `exporting inventory a/b, looking at the table`. */
  endBy(makeError: (doing: string) => SinkError): void;
  /** Nothing more will be asked of it: its timer goes. */
  release(): void;
}

/** What Node's timers can hold; a longer one would fire at once. */
const maxTimeoutMs = 2 ** 31 - 1;

export function openScope(options: ScopeOptions): OwnedScope {
  return new Scope(options);
}

class Scope extends EndingState implements OwnedScope {
  readonly operation: SinkOperation;
  readonly doing: string;
  readonly #options: ScopeOptions;
  readonly #timer: NodeJS.Timeout | undefined;
  #steps: Set<StepLimits> | undefined;
  #controller: AbortController | undefined;

  constructor(options: ScopeOptions) {
    super();
    const { operation, doing, timeoutMs } = options;
    this.operation = operation;
    this.doing = doing;
    this.#options = options;
    if (timeoutMs === undefined) return;
    this.#timer = setTimeout(
      () => this.endBy((what) => timedOut(what, timeoutMs, options)),
      Math.min(timeoutMs, maxTimeoutMs),
    );
  }

  /** Most scopes are never asked for one. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.ended !== undefined) this.#controller.abort(this.ended);
    }
    return this.#controller.signal;
  }

  endBy(makeError: (doing: string) => SinkError): void {
    if (this.ended !== undefined) return;
    this.release();
    const error = makeError(describe(this.doing, this.#steps));
    this.end(error);
    this.#controller?.abort(error);
  }

  release(): void {
    clearTimeout(this.#timer);
  }

  async step<T>(limits: StepLimits, work: (step: OperationScope) => Promise<T>): Promise<T> {
    this.throwIfEnded();
    const step = openScope({ ...this.#options, timeoutMs: undefined, ...limits });
    const leave = this.onEnd((error) => step.endBy(() => error));
    this.#steps ??= new Set();
    this.#steps.add(limits);
    try {
      return await step.unlessEnded(work(step));
    } finally {
      this.#steps.delete(limits);
      leave();
      step.release();
    }
  }

  failure(thrown: unknown): SinkError {
    if (this.ended !== undefined) return this.ended;
    const { classify, sinkType, operation, doing } = this.#options;
    try {
      const error = classify === undefined ? thrown : classify(thrown, { operation, doing });
      return SinkError.from(error, { sinkType, operation });
    } catch (error) {
      return SinkError.from(error, { sinkType, operation });
    }
  }
}

/** With the step that began last: the one that most likely did not come to an end. */
function describe(doing: string, steps: ReadonlySet<StepLimits> = new Set()): string {
  const last = [...steps].at(-1)?.doing;
  return last === undefined || last === doing ? doing : `${doing}, ${last}`;
}

function timedOut(doing: string, timeoutMs: number, { sinkType, operation }: ScopeOptions): SinkError {
  return new SinkError('TIMEOUT', `Gave up ${doing} after ${timeoutMs} ms without an answer.`, { sinkType, operation });
}
