import { createSinkLimits } from '../../connection/limits.ts';
import { SinkError, type SinkOperation } from '../../contract/errors/errors.ts';
import { limitOf } from '../../contract/signal-limit.ts';
import { openScope, type OperationScope, type Classify, type OwnedScope, type StepLimits } from './operation-scope.ts';
import { showText } from '../../contract/errors/show-value.ts';

export interface OperationsOptions {
  /** Type name of the sink, such as `postgres`. */
  readonly sinkType: string;
  /** Name of the sink, for messages. */
  readonly name: string;
  /** Whatever an operation threw, as the sink's own error. Default: a SinkError as it is, anything else CONTRACT_VIOLATION. */
  readonly classify?: Classify;
}

export interface OperationLimits extends StepLimits {
  readonly operation: SinkOperation;
  /** The caller's. */
  readonly signal: AbortSignal;
}

/** The operations of one sink: each is limited in time and by its caller, and none outlives the sink. */
export interface Operations {
  /**
   * Runs `work` until it settles. It rejects with a SinkError alone: ABORTED or TIMEOUT where caller, limit or close ended the scope, which `work`
   * must follow, else what `classify` makes of what was thrown. Leaves no timer and no listener behind. ABORTED without a call of `work` once closed.
   */
  run<T>(limits: OperationLimits, work: (scope: OperationScope) => Promise<T>): Promise<T>;
  /** Aborts what runs, waits until it ended, and then frees what `release` does, once: a second call gives the same promise. */
  close(release?: () => Promise<unknown>): Promise<void>;
}

export function createOperations({ sinkType, name, classify }: OperationsOptions): Operations {
  const { endedBySignal } = createSinkLimits(sinkType);
  const running = new Set<OwnedScope>();
  let closing: Promise<void> | undefined;
  let onDrained: (() => void) | undefined;

  const closed = (operation: SinkOperation): SinkError =>
    new SinkError('ABORTED', `The sink ${showText(name)} is closed.`, { sinkType, operation });

  const leave = (scope: OwnedScope): void => {
    running.delete(scope);
    if (running.size === 0) onDrained?.();
  };

  const end = async (release: () => Promise<unknown>): Promise<void> => {
    for (const scope of running) scope.endBy(() => closed(scope.operation));
    if (running.size > 0) await new Promise<void>((resolve) => (onDrained = resolve));
    await release();
  };

  return {
    run: async ({ signal, ...limits }, work) => {
      const { operation, doing } = limits;
      if (closing !== undefined) throw closed(operation);
      const endedBy = (what: string): SinkError => endedBySignal(signal, { operation, doing: what });
      if (signal.aborted) throw endedBy(doing);
      const scope = openScope({ ...limits, outer: limitOf(signal), sinkType, classify });
      const onAbort = (): void => scope.endBy(endedBy);
      signal.addEventListener('abort', onAbort);
      running.add(scope);
      try {
        return await work(scope);
      } catch (thrown) {
        throw scope.failure(thrown);
      } finally {
        signal.removeEventListener('abort', onAbort);
        scope.release();
        leave(scope);
      }
    },
    close: (release = () => Promise.resolve()) => (closing ??= end(release)),
  };
}
