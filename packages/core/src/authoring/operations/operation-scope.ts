import { createSinkLimits } from '../../connection/limits.ts';
import { SinkError, type SinkOperation } from '../../contract/errors/errors.ts';
import { startWithin, type SignalLimit } from '../../contract/signal-limit.ts';
import { EndingState, type Ending } from './ending.ts';

/** What a part of an operation does, and how long it may take. */
export interface StepLimits {
  /** For messages, to follow "while": `connecting to database "inventory"`. */
  readonly doing: string;
  /** In milliseconds. Absent, or longer than what the whole has left: as long as that. */
  readonly timeoutMs?: number | undefined;
  /** The field of the spec that sets `timeoutMs`, for the remedy: `spec.kafka.deliveryTimeout`. */
  readonly timeoutField?: string | undefined;
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
  /** The limit of what it is a part of. */
  readonly outer?: SignalLimit | undefined;
}

/** The scope, for whoever opened it. */
export interface OwnedScope extends OperationScope {
  /** Ends it with an error that knows what was done at the moment: `exporting inventory a/b, looking at the table`. */
  endBy(makeError: (doing: string) => SinkError): void;
  /** Nothing more will be asked of it: its timer goes. */
  release(): void;
}

export function openScope(options: ScopeOptions): OwnedScope {
  return new Scope(options);
}

class Scope extends EndingState implements OwnedScope {
  readonly operation: SinkOperation;
  readonly doing: string;
  readonly #options: ScopeOptions;
  /** The shortest of its own and the outer limits. */
  readonly #limit: SignalLimit | undefined;
  readonly #releaseLimit: (() => void) | undefined;
  #steps: Set<StepLimits> | undefined;
  #controller: AbortController | undefined;

  constructor(options: ScopeOptions) {
    super();
    const { operation, doing, timeoutMs: ms, timeoutField: field, outer } = options;
    this.operation = operation;
    this.doing = doing;
    this.#options = options;
    const own =
      ms === undefined
        ? undefined
        : startWithin(outer, { ms, field }, () => this.endBy((what) => this.#timedOut(what)));
    this.#limit = own?.limit ?? outer;
    this.#releaseLimit = own?.release;
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
    this.#releaseLimit?.();
  }

  async step<T>(limits: StepLimits, work: (step: OperationScope) => Promise<T>): Promise<T> {
    this.throwIfEnded();
    const step = openScope({
      ...this.#options,
      timeoutMs: undefined,
      timeoutField: undefined,
      ...limits,
      outer: this.#limit,
    });
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

  #timedOut(doing: string): SinkError {
    const { sinkType, operation, timeoutField, timeoutMs = 0 } = this.#options;
    return createSinkLimits(sinkType).timedOut({ operation, doing, timeoutField }, timeoutMs);
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
