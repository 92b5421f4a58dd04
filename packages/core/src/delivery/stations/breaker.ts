import { EventEmitter } from 'node:events';
import CircuitBreaker from 'opossum';
import { SinkError } from '../../contract/errors/errors.ts';
import type { BreakerState } from '../../observability/metrics.ts';
import type { Delivery, Station, DeliveryResult, HeldResult } from '../delivery.ts';
import type { DeliveryClock } from '../delivery-clock.ts';
import type { SinkDelivery } from '../delivery-options.ts';
import { faultOf } from './fault.ts';
import { retryAfterOf } from './retry-after.ts';

export interface BreakerOptions {
  readonly next: Station;
  readonly breaker: SinkDelivery['breaker'];
  readonly clock: DeliveryClock;
  readonly onStateChange?: (change: BreakerChange) => void;
}

export interface BreakerChange {
  readonly from: BreakerState;
  readonly to: BreakerState;
  /** With `open`: what opened it, and when one export is let through, by the clock. */
  readonly error?: SinkError | undefined;
  readonly openUntil?: number | undefined;
}

export interface Breaker extends Station {
  state(): BreakerState;
  /** True while the next delivery is the probe of a half-open circuit. */
  readonly awaitsProbe: boolean;
  /** When the circuit lets one export through; undefined where it is not open. */
  openUntil(): number | undefined;
  /** Ends its timer. What runs goes on; what comes later is not protected any more. */
  shutdown(): void;
}

/** How long it stays open after a probe that was aborted by its caller, which says nothing about the store. */
const undecidedMs = 1_000;

/**
 * One circuit for one sink, with opossum as the state machine. It opens after failures in a row that are the sink's fault, at once where the
 * credentials are refused; after a time the next delivery is the probe. While it is open nothing is tried.
 */
export function createBreaker({ next, breaker: limits, clock, onStateChange }: BreakerOptions): Breaker {
  // opossum counts percentages of a rolling window with timers of its own. We count failures in a row ourselves, and empty its window after each outcome.
  const window = new EventEmitter();
  const options: CircuitBreaker.Options<[Delivery]> & { readonly rotateBucketController: EventEmitter } = {
    name: 'sink',
    timeout: false,
    errorThresholdPercentage: Number.POSITIVE_INFINITY,
    resetTimeout: limits.openForMs,
    rollingCountBuckets: 1,
    rollingPercentilesEnabled: false,
    enableSnapshots: false,
    rotateBucketController: window,
    errorFilter: (error: unknown) => faultOf(SinkError.from(error)) === 'data',
  };
  const breaker = new CircuitBreaker<[Delivery], DeliveryResult>((delivery) => next.deliver(delivery), options);
  let failures = 0;
  let state: BreakerState = 'closed';
  let error: SinkError | undefined;
  let openUntil: number | undefined;

  const enter = (to: BreakerState): void => {
    const from = state;
    state = to;
    if (to === 'closed') error = undefined;
    if (to !== 'open') openUntil = undefined;
    onStateChange?.({ from, to, error, openUntil });
  };

  const open = (forMs: number): void => {
    // opossum reads the time when it opens.
    options.resetTimeout = forMs;
    openUntil = clock.now() + forMs;
    breaker.open();
  };

  breaker.on('success', () => {
    failures = 0;
    window.emit('rotate');
  });
  breaker.on('failure', (failure) => {
    window.emit('rotate');
    if (breaker.opened) return;
    const reported = SinkError.from(failure);
    if (faultOf(reported) === 'caller') {
      if (breaker.halfOpen) open(undecidedMs);
      return;
    }
    failures += 1;
    const forbidden = reported.reason === 'forbidden';
    if (!forbidden && !breaker.halfOpen && failures < limits.failures) return;
    error = reported;
    open(Math.max(forbidden ? limits.forbiddenOpenForMs : limits.openForMs, retryAfterOf(reported)));
  });
  breaker.on('open', () => enter('open'));
  breaker.on('halfOpen', () => enter('half-open'));
  breaker.on('close', () => enter('closed'));

  const skipped = (): HeldResult => ({
    outcome: 'skipped-open-circuit',
    ...(openUntil === undefined ? {} : { dueAt: openUntil }),
    ...(error === undefined ? {} : { error }),
  });

  return {
    deliver: async (delivery) => {
      if (breaker.isShutdown) return next.deliver(delivery);
      return breaker.closed || breaker.pendingClose ? breaker.fire(delivery) : skipped();
    },
    state: () => state,
    get awaitsProbe() {
      return breaker.pendingClose;
    },
    openUntil: () => openUntil,
    shutdown: () => breaker.shutdown(),
  };
}
