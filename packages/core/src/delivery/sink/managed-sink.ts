import { createSinkLimits } from '../../connection/limits.ts';
import { SinkError } from '../../contract/errors/errors.ts';
import { limitOf } from '../../contract/signal-limit.ts';
import type { KollectSink } from '../../contract/sink.ts';
import { containSink } from './contained-sink.ts';
import type { Station } from '../delivery.ts';
import type { DeliveryClock } from '../delivery-clock.ts';
import { deriveSignal } from '../derived-signal.ts';
import { attemptLimit } from '../stations/attempt.ts';

/** What a sink is made from, and the limits of its life. */
export interface SinkBlueprint {
  readonly sinkType: string;
  /** Does no I/O; called anew after a sink was abandoned. */
  readonly create: () => KollectSink;
  readonly openTimeoutMs: number;
  readonly abortGraceMs: number;
  readonly closeTimeoutMs: number;
}

export interface ManagedSinkOptions extends SinkBlueprint {
  readonly clock: DeliveryClock;
  /** A sink went on after its signal aborted, and was replaced. */
  readonly onAbandoned?: () => void;
  readonly onCloseFailed?: (error: SinkError) => void;
}

/** The one place that owns sinks: opened once, opened again by the next call after that failed, closed when nothing runs on them any more. */
export interface ManagedSink extends Station {
  /** Runs the work on the open sink. */
  use<T>(signal: AbortSignal, work: (sink: KollectSink) => Promise<T>): Promise<T>;
  /** Later work runs on a new sink. The old one is closed as soon as the work that runs on it has ended. */
  replace(blueprint: SinkBlueprint): void;
  /** Waits for what runs, then closes; nothing is taken any more. */
  close(): Promise<void>;
}

interface Instance {
  readonly sink: KollectSink;
  readonly sinkType: string;
  readonly openTimeoutMs: number;
  readonly lifetime: AbortController;
  opening?: Promise<void> | undefined;
  isOpen: boolean;
  users: number;
  /** Set once the instance is to be closed: called when nobody uses it any more. */
  onDrained?: () => void;
}

export function createManagedSink({ clock, onAbandoned, onCloseFailed, ...first }: ManagedSinkOptions): ManagedSink {
  let blueprint: SinkBlueprint = first;
  let current: Instance | undefined;
  let closed = false;
  const closing = new Set<Promise<void>>();

  const make = (): Instance => {
    const { create, sinkType, openTimeoutMs, abortGraceMs, closeTimeoutMs } = blueprint;
    const onUnresponsive = (): void => {
      retire(instance);
      onAbandoned?.();
    };
    const sink = containSink({ sink: create(), sinkType, clock, abortGraceMs, closeTimeoutMs, onUnresponsive });
    const instance: Instance = {
      sink,
      sinkType,
      openTimeoutMs,
      lifetime: new AbortController(),
      isOpen: sink.open === undefined,
      users: 0,
    };
    return instance;
  };

  const retire = (instance: Instance): void => {
    if (current === instance) current = undefined;
    if (instance.onDrained !== undefined) return;
    const drained = new Promise<void>((resolve) => (instance.onDrained = resolve));
    const ended: Promise<void> = drained.then(() => closeInstance(instance)).finally(() => closing.delete(ended));
    closing.add(ended);
    leave(instance, 0);
  };

  const leave = (instance: Instance, users: number): void => {
    instance.users -= users;
    if (instance.users === 0) instance.onDrained?.();
  };

  const closeInstance = async ({ sink, sinkType, lifetime }: Instance): Promise<void> => {
    lifetime.abort();
    try {
      await sink.close();
    } catch (error) {
      onCloseFailed?.(SinkError.from(error, { sinkType, operation: 'close' }));
    }
  };

  /** It goes on where the attempt that asked for it is aborted: later ones need it as well. So it has the time of a whole attempt, by that one's timer. */
  const open = async (instance: Instance, asked: AbortSignal): Promise<void> => {
    const limit = attemptLimit({ timeoutMs: instance.openTimeoutMs, clock });
    const { signal, release } = deriveSignal({
      parent: instance.lifetime.signal,
      limit: { ...limit, alarm: limitOf(asked)?.alarm },
    });
    try {
      await instance.sink.open?.({ signal });
      instance.isOpen = true;
    } catch (error) {
      instance.opening = undefined;
      throw error;
    } finally {
      release();
    }
  };

  const opened = (instance: Instance, signal: AbortSignal): Promise<void> => {
    instance.opening ??= open(instance, signal);
    const { limitedBy } = createSinkLimits(instance.sinkType);
    return limitedBy({ signal, operation: 'open', doing: 'waiting for the sink to open' }, instance.opening);
  };

  const use = async <T>(signal: AbortSignal, work: (sink: KollectSink) => Promise<T>): Promise<T> => {
    if (closed)
      throw new SinkError('ABORTED', `The sink of type "${blueprint.sinkType}" was closed.`, {
        sinkType: blueprint.sinkType,
      });
    const instance = (current ??= make());
    instance.users += 1;
    try {
      if (!instance.isOpen) await opened(instance, signal);
      return await work(instance.sink);
    } finally {
      leave(instance, 1);
    }
  };

  return {
    use,
    deliver: (delivery) => use(delivery.signal, (sink) => delivery.attempt(sink, delivery.signal)),
    replace: (next) => {
      blueprint = next;
      if (current !== undefined) retire(current);
    },
    close: async () => {
      closed = true;
      if (current !== undefined) retire(current);
      await Promise.all(closing);
    },
  };
}
