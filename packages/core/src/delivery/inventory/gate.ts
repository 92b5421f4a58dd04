import { AsyncLocalStorage } from 'node:async_hooks';
import { SinkError } from '../../contract/errors/errors.ts';
import type { ExportResult } from '../../contract/sink.ts';
import type { DeliveryClock } from '../delivery-clock.ts';
import { redelivery, type Delivery, type DeliveryResult, type HeldResult, type Station } from '../delivery.ts';
import { faultOf } from '../stations/fault.ts';
import { retryAfterOf } from '../stations/retry-after.ts';
import { decide, summarise, type GateDecision, type GateRules, type Sent } from './gate-decision.ts';
import { createOwed } from './owed.ts';

export interface GateOptions {
  readonly next: Station;
  readonly clock: DeliveryClock;
  /** Asked at every delivery: the host may change them. */
  readonly rules: () => GateRules;
  /** For deliveries that no caller waits for. */
  readonly lifetime: AbortSignal;
  /** Starts a delivery that no caller waits for, because it was debounced, failed or skipped before. */
  readonly onBackground?: (delivery: Delivery, start: () => Promise<DeliveryResult>) => Promise<unknown>;
  /** The circuit was open. Whoever knows when it lets an export through calls `wake` then. */
  readonly onSkipped?: () => void;
}

/**
 * Holds back what brings nothing new, and makes up for what was not delivered: the latest change when its interval ends, what failed by the
 * sink's fault after an interval, and what an open circuit skipped when `wake` is called.
 */
export interface Gate extends Station {
  /** Delivers what is owed, now; false where nothing is. */
  wake(): boolean;
  /** Delivers what is owed, now. What fails from now on is not made again; what an open circuit skips still waits for `wake`. */
  finish(): void;
  /** Drops what is owed, and owes nothing until the next delivery is given. */
  leave(): void;
  /** Drops what is owed, and owes nothing from now on. */
  dispose(): void;
  /** Resolves when nothing is underway. */
  idle(): Promise<void>;
  /** The sink is another one now: nothing is known of what it holds. */
  forget(): void;
  readonly owing: boolean;
  /** When what is owed will be delivered; undefined where that is for `wake`. */
  dueAt(): number | undefined;
  /** `exportedAt` in milliseconds of the newest snapshot that was given to `deliver`. */
  readonly newestExport: number;
  /** Something was passed on and has not ended yet. */
  readonly busy: boolean;
  /** The sink is known to hold nothing of the inventory, and nothing is left to do. */
  readonly removed: boolean;
}

/** What was passed on and has not ended yet. */
interface Underway {
  readonly delivery: Delivery;
  readonly epoch: number;
  /** Absent with a removal. */
  readonly sent: Sent | undefined;
}

/** How soon a failed export is made again, unless `exportMinInterval` is shorter or the store asked for more. */
const retryIntervalMs = 30_000;

/** Runs what no caller waits for: neither the call that was held back nor the export that closed a circuit is its context, and no parent of its spans. */
const outsideOfCalls = AsyncLocalStorage.snapshot();

const superseded: ExportResult = {
  outcome: 'superseded',
  counts: { inserted: 0, updated: 0, deleted: 0, unchanged: 0 },
  messages: 0,
  bytes: 0,
};

export function createGate({ next, clock, rules, lifetime, onBackground, onSkipped }: GateOptions): Gate {
  /** What the sink is known to hold. Undefined: not known. */
  let held: Sent | 'nothing' | undefined;
  /** The newest time that the sink is known to be true to; what is older is superseded. */
  let heldTime = Number.NEGATIVE_INFINITY;
  let newestExport = Number.NEGATIVE_INFINITY;
  /** What runs, what waits in the queue, and for a moment what the latter took the place of. */
  const underway = new Set<Underway>();
  const owed = createOwed({ clock, onDue: () => void wake() });
  /** The newest one underway took the place of an older one, whose caller was told that a newer one is delivered. So it has to be, even if its own caller aborts it. */
  let tookAPlace = false;
  /** The inventory left the sink: what fails now is not made again. */
  let left = false;
  const idlers: (() => void)[] = [];
  /** Counts how often the sink became another one: what was sent to an earlier one says nothing of the present one. */
  let epoch = 0;

  const newestUnderway = (): Underway | undefined => {
    let newest: Underway | undefined;
    for (const one of underway) if (newest === undefined || one.delivery.time >= newest.delivery.time) newest = one;
    return newest;
  };

  const owe = (delivery: Delivery, waitMs?: number): void => {
    if (!left) owed.set(delivery, waitMs);
  };

  const wake = (): boolean => {
    if (owed.delivery === undefined) return false;
    const delivery = redelivery(owed.delivery, lifetime);
    const start = (): Promise<DeliveryResult> => forward(delivery);
    const done: Promise<unknown> = outsideOfCalls(() =>
      onBackground === undefined ? start() : onBackground(delivery, start),
    );
    done.catch(() => undefined);
    return true;
  };

  const forward = async (delivery: Delivery): Promise<DeliveryResult> => {
    if (owed.delivery !== undefined && owed.delivery.time <= delivery.time) {
      tookAPlace = true;
      owed.drop();
    }
    const { snapshot } = delivery;
    const sent = snapshot === undefined ? undefined : { summary: summarise(snapshot), at: clock.now() };
    const one: Underway = { delivery, epoch, sent };
    underway.add(one);
    try {
      const result = await next.deliver(delivery);
      settle(one, result);
      return result;
    } catch (thrown) {
      const error = SinkError.from(thrown, { operation: delivery.operation });
      settle(one, error);
      throw error;
    }
  };

  const settle = (one: Underway, result: DeliveryResult | SinkError): void => {
    const isNewest = newestUnderway() === one;
    underway.delete(one);
    if (SinkError.isInstance(result)) {
      // The write may have reached the store before the error.
      if (faultOf(result) !== 'data') held = undefined;
      if (isNewest) afterFailure(one.delivery, result);
      else if (faultOf(result) === 'sink') tookAPlace = true;
    } else if (result.outcome === 'skipped-open-circuit') {
      if (!isNewest) tookAPlace = true;
      else if (owed.delivery === undefined) owe(one.delivery);
      onSkipped?.();
    } else if (result.outcome === 'queued-superseded') {
      tookAPlace = true;
    } else {
      afterResult(one, result, isNewest);
    }
    if (underway.size === 0) for (const tell of idlers.splice(0)) tell();
  };

  const afterResult = (one: Underway, { outcome }: DeliveryResult, isNewest: boolean): void => {
    if (outcome !== 'superseded' && one.delivery.time >= heldTime) {
      heldTime = one.delivery.time;
      held = one.epoch === epoch ? (one.sent ?? 'nothing') : undefined;
    }
    if (!isNewest) return;
    tookAPlace = false;
    if (owed.delivery === undefined || owed.dueAt !== undefined) return;
    // It was held back because it equals the one that has just ended.
    const decision = decideFor(owed.delivery);
    if (decision === 'identical') settleHeld(owed.delivery);
    else owe(owed.delivery, decision === 'pass' ? 0 : decision.waitMs);
  };

  const afterFailure = (delivery: Delivery, error: SinkError): void => {
    const fault = faultOf(error);
    const intervalMs = Math.min(rules().exportMinIntervalMs || retryIntervalMs, retryIntervalMs);
    const waitMs = Math.max(intervalMs, retryAfterOf(error));
    if (owed.delivery !== undefined) {
      // It is newer. Where it waits for an interval, that need not be longer than after a failure.
      const remainingMs = owed.dueAt === undefined ? Number.POSITIVE_INFINITY : owed.dueAt - clock.now();
      if (fault === 'sink' && waitMs < remainingMs) owe(owed.delivery, waitMs);
      else if (owed.dueAt === undefined) owe(owed.delivery, 0);
    } else if (fault === 'sink') {
      owe(delivery, waitMs);
    } else if (fault === 'caller' && tookAPlace) {
      owe(delivery, 0);
    }
    tookAPlace = false;
  };

  /** The store is equal to this newer snapshot already, so nothing older than this one is to be written any more. */
  const settleHeld = ({ time }: Delivery): void => {
    owed.drop();
    heldTime = Math.max(heldTime, time);
  };

  const decideFor = ({ snapshot, allowDeletes }: Delivery): GateDecision => {
    // An operator who lets an export delete more than the limit wants it now.
    if (snapshot === undefined || allowDeletes) return 'pass';
    const newest = newestUnderway();
    const last = newest === undefined ? held : newest.sent;
    return decide(snapshot, last === 'nothing' ? undefined : last, rules(), clock.now());
  };

  const deliver = async (delivery: Delivery): Promise<DeliveryResult> => {
    left = false;
    if (delivery.snapshot !== undefined) newestExport = Math.max(newestExport, delivery.time);
    if (delivery.time < heldTime) return superseded;
    if (owed.delivery !== undefined && delivery.time < owed.delivery.time) return { outcome: 'queued-superseded' };
    const newest = newestUnderway();
    // The queue answers where this one is older than what is underway, and lets it take the place of one that waits.
    if (newest !== undefined && (delivery.time < newest.delivery.time || underway.size > 1)) return forward(delivery);
    const decision = decideFor(delivery);
    if (decision === 'pass') return forward(delivery);
    if (decision !== 'identical') {
      owe(delivery, decision.waitMs);
      return debounced(owed.dueAt);
    }
    // Equal to what the sink holds: nothing is owed, not even an older change that this snapshot takes back. Equal to what is underway: it is kept until that one has succeeded.
    if (newest === undefined) settleHeld(delivery);
    else owe(delivery);
    return debounced();
  };

  return {
    deliver,
    wake,
    finish: () => owed.finish(),
    leave: () => {
      left = true;
      tookAPlace = false;
      owed.drop();
    },
    dispose: () => owed.end(),
    idle: () => (underway.size === 0 ? Promise.resolve() : new Promise((resolve) => idlers.push(resolve))),
    forget: () => {
      epoch += 1;
      held = undefined;
    },
    get owing() {
      return owed.delivery !== undefined;
    },
    dueAt: () => owed.dueAt,
    get newestExport() {
      return newestExport;
    },
    get busy() {
      return underway.size > 0;
    },
    get removed() {
      return held === 'nothing' && owed.delivery === undefined && underway.size === 0;
    },
  };
}

function debounced(dueAt?: number): HeldResult {
  return { outcome: 'debounced', ...(dueAt === undefined ? {} : { dueAt }) };
}
