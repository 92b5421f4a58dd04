import { isPromise } from 'node:util/types';
import { SinkError, type SinkOperation } from '../../contract/errors/errors.ts';
import type { KollectSink } from '../../contract/sink.ts';
import { checkPlan, checkReport, checkResult } from './check-result.ts';
import type { DeliveryClock } from '../delivery-clock.ts';
import { showText } from '../../contract/errors/show-value.ts';

export interface ContainedSinkOptions {
  readonly sink: KollectSink;
  readonly sinkType: string;
  readonly clock: DeliveryClock;
  /** How long an operation may go on after its signal aborted. */
  readonly abortGraceMs: number;
  readonly closeTimeoutMs: number;
  /** Called when the sink went on for longer than that. What it still does is not known. */
  readonly onUnresponsive?: () => void;
}

/**
 * The sink, held to its contract: every operation ends with a checked result or a SinkError, at the latest a grace after its signal aborted.
 * What is thrown and is no SinkError, what is returned and is no promise or no result, and what never ends is CONTRACT_VIOLATION naming the type.
 */
export function containSink(options: ContainedSinkOptions): KollectSink {
  const { sink, sinkType, clock, closeTimeoutMs } = options;
  const violation = (operation: SinkOperation, problem: string): SinkError =>
    new SinkError('CONTRACT_VIOLATION', `The sink type ${showText(sinkType)} ${problem}.`, {
      sinkType,
      operation,
    });

  const run = async <T>(
    operation: SinkOperation,
    signal: AbortSignal,
    call: () => unknown,
    check: (value: unknown) => T | undefined,
  ): Promise<T> => {
    try {
      const value = await withinGrace(options, signal, promiseOf(call(), operation), () =>
        violation(
          operation,
          `ignored its signal during ${operation} for ${options.abortGraceMs} ms after the abort: its work was abandoned and the sink is replaced`,
        ),
      );
      const checked = check(value);
      if (checked === undefined)
        throw violation(operation, `ended ${operation} with something that is no result of it`);
      return checked;
    } catch (error) {
      throw SinkError.from(error, { sinkType, operation });
    }
  };

  const promiseOf = (returned: unknown, operation: SinkOperation): Promise<unknown> => {
    if (isPromise(returned)) return returned;
    // Anything else that has a `then` may settle twice, or reject where nobody listens.
    void Promise.resolve(returned).catch(() => undefined);
    throw violation(
      operation,
      `returned ${returned === null ? 'null' : `a ${typeof returned}`} from ${operation} instead of a promise`,
    );
  };

  const { open, plan, removeInventory } = sink;
  return {
    ...(open === undefined
      ? {}
      : {
          open: async ({ signal }) =>
            void (await run(
              'open',
              signal,
              () => open.call(sink, { signal }),
              () => true,
            )),
        }),
    export: (snapshot, given) => run('export', given.signal, () => sink.export(snapshot, given), checkResult),
    ...(plan === undefined
      ? {}
      : { plan: (snapshot, given) => run('plan', given.signal, () => plan.call(sink, snapshot, given), checkPlan) }),
    ...(removeInventory === undefined
      ? {}
      : {
          removeInventory: (scope, given) =>
            run('remove-inventory', given.signal, () => removeInventory.call(sink, scope, given), checkResult),
        }),
    testConnection: ({ signal }) => run('test-connection', signal, () => sink.testConnection({ signal }), checkReport),
    close: async () => {
      let timer: unknown;
      const late = new Promise<never>((_, reject) => {
        timer = clock.setTimeout(
          () => reject(violation('close', `did not close within ${closeTimeoutMs} ms`)),
          closeTimeoutMs,
        );
      });
      try {
        await Promise.race([promiseOf(sink.close(), 'close'), late]);
      } catch (error) {
        throw SinkError.from(error, { sinkType, operation: 'close' });
      } finally {
        clock.clearTimeout(timer);
      }
    },
  };
}

/** The promise's outcome; a later one is dropped. */
function withinGrace(
  { clock, abortGraceMs, onUnresponsive }: ContainedSinkOptions,
  signal: AbortSignal,
  promise: Promise<unknown>,
  unresponsive: () => SinkError,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let timer: unknown;
    const onAbort = (): void => {
      timer = clock.setTimeout(() => {
        onUnresponsive?.();
        reject(unresponsive());
      }, abortGraceMs);
    };
    const ended = (): void => {
      if (timer !== undefined) clock.clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    promise.then(
      (value) => {
        ended();
        resolve(value);
      },
      (error: unknown) => {
        ended();
        reject(error);
      },
    );
  });
}
