import { AsyncLocalStorage } from 'node:async_hooks';
import { SinkError } from '../../contract/errors.ts';
import type { ExportResult } from '../../contract/sink.ts';
import { redelivery, type Delivery, type Station, type DeliveryResult, type HeldResult } from '../delivery.ts';
import { unrefTimer, type DeliveryClock } from '../delivery-clock.ts';
import { faultOf } from '../stations/fault.ts';
import { decide, summarise, type GateDecision, type GateRules, type Sent } from './gate-decision.ts';
import { retryAfterOf } from '../stations/retry-after.ts';

export interface GateOptions {
  readonly next: Station;
  readonly clock: DeliveryClock;
  /** Asked at every delivery: the host may change them. */
  readonly rules: () => GateRules;
  /** For deliveries that no caller waits for. */
  readonly lifetime: AbortSignal;
  /** A delivery that nobody called for: one that was debounced, failed or skipped before. */
  readonly onBackground?: (delivery: Delivery, start: () => Promise<DeliveryResult>) => Promise<unknown>;
  /** The circuit was open: `wake` is to be called when it lets one through. */
  readonly onSkipped?: () => void;
}

/**
 * Holds back what brings nothing new, and owes what it held back: the latest change is delivered when its interval ends, what failed by the
 * sink's fault after an interval, and what an open circuit skipped when it is woken.
 */
export interface Gate extends Station {
  /** Delivers what is owed, now; false where nothing is. */
  wake(): boolean;
  /** Drops what is owed, and owes nothing any more; for a gate that is given up. */
  dispose(): void;
  /** The sink is another one now: nothing is known of what it holds. */
  forget(): void;
  readonly owing: boolean;
  /** When what is owed will be delivered; undefined where that is for `wake`. */
  dueAt(): number | undefined;
}

interface Way {
  readonly delivery: Delivery;
  readonly epoch: number;
  /** Absent with a removal. */
  readonly sent: Sent | undefined;
}

interface Owed {
  readonly delivery: Delivery;
  readonly dueAt?: number;
  readonly timer?: unknown;
}

/** How soon a failed export is made again, unless `exportMinInterval` is shorter or the store asked for more. */
const retryIntervalMs = 30_000;

/** Runs what no caller waits for: neither the call that was held back nor the export that closed a circuit is its context, and no parent of its spans. */
const outsideOfCalls = AsyncLocalStorage.snapshot();

const none: ExportResult = {
  outcome: 'superseded',
  counts: { inserted: 0, updated: 0, deleted: 0, unchanged: 0 },
  messages: 0,
  bytes: 0,
};

export function createGate({ next, clock, rules, lifetime, onBackground, onSkipped }: GateOptions): Gate {
  /** What the sink is known to hold; its time is also that of the last removal. */
  let held: Sent | undefined;
  let heldTime = Number.NEGATIVE_INFINITY;
  /** What is on its way: what runs, what waits, and for a moment what the latter replaced. */
  const ways = new Set<Way>();
  let owed: Owed | undefined;
  /** The delivery on its way took the place of another one, whose caller was told not to care: should it be aborted, it is still owed. */
  let indebted = false;
  let disposed = false;
  /** Counts how often the sink became another one: what was sent to an earlier one says nothing of the present one. */
  let epoch = 0;

  /** The one on its way that nothing newer will follow. */
  const newest = (): Way | undefined => {
    let found: Way | undefined;
    for (const way of ways) if (found === undefined || way.delivery.time >= found.delivery.time) found = way;
    return found;
  };

  const dropOwed = (): void => {
    if (owed?.timer !== undefined) clock.clearTimeout(owed.timer);
    owed = undefined;
  };

  const owe = (delivery: Delivery, waitMs?: number): number | undefined => {
    dropOwed();
    if (disposed) return undefined;
    if (waitMs === undefined) {
      owed = { delivery };
      return undefined;
    }
    const dueAt = clock.now() + waitMs;
    owed = { delivery, dueAt, timer: unrefTimer(clock, wake, waitMs) };
    return dueAt;
  };

  const wake = (): boolean => {
    if (owed === undefined) return false;
    const delivery = redelivery(owed.delivery, lifetime);
    const start = (): Promise<DeliveryResult> => forward(delivery);
    const done: Promise<unknown> = outsideOfCalls(() =>
      onBackground === undefined ? start() : onBackground(delivery, start),
    );
    done.catch(() => undefined);
    return true;
  };

  const forward = async (delivery: Delivery): Promise<DeliveryResult> => {
    if (owed !== undefined && owed.delivery.time <= delivery.time) {
      indebted = true;
      dropOwed();
    }
    const { snapshot } = delivery;
    const way: Way = {
      delivery,
      epoch,
      sent: snapshot === undefined ? undefined : { summary: summarise(snapshot), at: clock.now() },
    };
    ways.add(way);
    try {
      const result = await next.deliver(delivery);
      settle(way, result);
      return result;
    } catch (thrown) {
      const error = SinkError.from(thrown, { operation: delivery.operation });
      settle(way, error);
      throw error;
    }
  };

  const settle = (way: Way, result: DeliveryResult | SinkError): void => {
    const isNewest = newest() === way;
    ways.delete(way);
    if (SinkError.isInstance(result)) {
      // Whether the sink has it is unknown, and so is what it holds.
      if (faultOf(result) !== 'data') held = undefined;
      if (isNewest) afterFailure(way.delivery, result);
      else if (faultOf(result) === 'sink') indebted = true;
    } else if (result.outcome === 'skipped-open-circuit') {
      if (!isNewest) indebted = true;
      else if (owed === undefined) owe(way.delivery);
      onSkipped?.();
    } else if (result.outcome === 'queued-superseded') {
      indebted = true;
    } else {
      afterResult(way, result, isNewest);
    }
  };

  const afterResult = (
    { delivery, sent, epoch: sentIn }: Way,
    { outcome }: DeliveryResult,
    isNewest: boolean,
  ): void => {
    if (outcome !== 'superseded' && delivery.time >= heldTime && sentIn === epoch) {
      held = sent;
      heldTime = delivery.time;
    }
    if (!isNewest) return;
    indebted = false;
    if (owed === undefined || owed.dueAt !== undefined) return;
    // It waited to see whether its like arrives.
    const decision = decideFor(owed.delivery);
    if (decision === 'identical') dropOwed();
    else owe(owed.delivery, decision === 'pass' ? 0 : decision.waitMs);
  };

  const afterFailure = (delivery: Delivery, error: SinkError): void => {
    // A newer one has a time of its own.
    if (owed?.dueAt !== undefined) return;
    const fault = faultOf(error);
    const intervalMs = Math.min(rules().exportMinIntervalMs || retryIntervalMs, retryIntervalMs);
    if (fault === 'sink') owe(owed?.delivery ?? delivery, Math.max(intervalMs, retryAfterOf(error)));
    else if (owed !== undefined || (fault === 'caller' && indebted)) owe(owed?.delivery ?? delivery, 0);
  };

  const decideFor = ({ snapshot, allowDeletes }: Delivery): GateDecision => {
    // An operator who lets an export delete more than the limit wants it now.
    if (snapshot === undefined || allowDeletes) return 'pass';
    const sending = newest();
    return decide(snapshot, sending === undefined ? held : sending.sent, rules(), clock.now());
  };

  const deliver = async (delivery: Delivery): Promise<DeliveryResult> => {
    if (delivery.time < heldTime) return none;
    if (owed !== undefined && delivery.time < owed.delivery.time) return { outcome: 'queued-superseded' };
    const sending = newest();
    // Older than what is on its way: that is for the queue to say. And where one waits already, this one goes in its place.
    if (sending !== undefined && (delivery.time < sending.delivery.time || ways.size > 1)) return forward(delivery);
    const decision = decideFor(delivery);
    if (decision === 'pass') return forward(delivery);
    if (decision !== 'identical') return debounced(owe(delivery, decision.waitMs));
    // The like of what the sink holds is not owed, and neither is a change that it takes back.
    if (sending === undefined) dropOwed();
    else owe(delivery);
    return debounced();
  };

  return {
    deliver,
    wake,
    dispose: () => {
      disposed = true;
      dropOwed();
    },
    forget: () => {
      epoch += 1;
      held = undefined;
      heldTime = Number.NEGATIVE_INFINITY;
    },
    get owing() {
      return owed !== undefined;
    },
    dueAt: () => owed?.dueAt,
  };
}

function debounced(dueAt?: number): HeldResult {
  return { outcome: 'debounced', ...(dueAt === undefined ? {} : { dueAt }) };
}
