import type { DeliveryClock, DeliveryLogger } from '@kollect/core';
import { limitSilence, pause, untilAborted } from '../watch/time-limit.ts';
import type { Lease, TakeResult } from './lease.ts';
import type { LeaderElection } from './leader-election.ts';

/** What a leader does from the moment it leads. */
export interface Term {
  /** `stopping`: ends in good order; `lost`: at once, also while it is stopping. May be called again. Never rejects. */
  end(why: 'stopping' | 'lost'): Promise<void>;
}

export interface ElectionsOptions {
  readonly lease: Lease;
  readonly election: LeaderElection;
  readonly clock: DeliveryClock;
  readonly logger: DeliveryLogger;
  /** Ends the term in good order, lets go of the lease and returns. */
  readonly signal: AbortSignal;
  readonly startTerm: () => Term;
  /** Told after each look at the lease: whether the API server answered. */
  readonly onLook?: (answered: boolean) => void;
}

/** Waits for the lease, leads while it is held, and waits again, until the signal aborts. Never rejects. */
export async function runElections(options: ElectionsOptions): Promise<void> {
  const { election, clock, logger, signal, startTerm } = options;
  const { identity, lease } = election;
  for (;;) {
    const acquiredAt = await acquire(options);
    if (acquiredAt === undefined) return;
    logger.info({ lease, identity }, 'Leading.');
    const term = startTerm();
    if ((await hold(options, term, acquiredAt)) === 'stopped') return;
    logger.warn({ lease, identity }, 'The lease is lost: nothing is exported until it is regained.');
    await pause(clock, election.retryPeriodMs, signal);
  }
}

/** When the call that took it began: others count from when the server wrote it, which may be long before its answer. Undefined where the signal aborted before. */
async function acquire(options: ElectionsOptions): Promise<number | undefined> {
  const { election, clock, signal } = options;
  while (!signal.aborted) {
    const startedAt = clock.now();
    if ((await look(options, signal, election.renewDeadlineMs)) === 'ours') return startedAt;
    // Not all at the same time.
    await pause(clock, election.retryPeriodMs * (1 + Math.random() / 5), signal);
  }
  return undefined;
}

async function hold(options: ElectionsOptions, term: Term, acquiredAt: number): Promise<'lost' | 'stopped'> {
  const { election, clock, signal } = options;
  // The lease is renewed while the term ends in good order: whoever takes over must find nobody at work.
  const renewing = new AbortController().signal;
  const ended = new AbortController();
  let ending: Promise<void> | undefined;
  let renewedAt = acquiredAt;
  for (;;) {
    const wake = ending === undefined ? AbortSignal.any([signal, ended.signal]) : ended.signal;
    const leftMs = renewedAt + election.renewDeadlineMs - clock.now();
    await pause(clock, Math.min(election.retryPeriodMs, leftMs), wake);
    if (signal.aborted) ending ??= term.end('stopping').finally(() => ended.abort());
    if (ended.signal.aborted) {
      await release(options);
      return 'stopped';
    }
    const startedAt = clock.now();
    const left = renewedAt + election.renewDeadlineMs - startedAt;
    const taken = left > 0 ? await look(options, renewing, Math.min(left, election.renewDeadlineMs)) : 'no-answer';
    if (taken === 'ours') renewedAt = startedAt;
    if (taken !== 'others' && clock.now() - renewedAt < election.renewDeadlineMs) continue;
    await term.end('lost');
    return signal.aborted ? 'stopped' : 'lost';
  }
}

async function look(options: ElectionsOptions, parent: AbortSignal, ms: number): Promise<TakeResult | 'no-answer'> {
  const { lease, election, clock, logger, onLook } = options;
  const limit = limitSilence(parent, { clock, ms, reason: () => new Error('The API server did not answer in time.') });
  try {
    const taken = await untilAborted(lease.take(limit.signal), limit.signal);
    onLook?.(true);
    return taken;
  } catch (error) {
    if (parent.aborted) return 'no-answer';
    onLook?.(false);
    const why = error instanceof Error ? error.message : 'unknown';
    logger.warn({ lease: election.lease, why }, 'The lease could not be read or written.');
    return 'no-answer';
  } finally {
    limit.end();
  }
}

async function release({ lease, election, clock, logger }: ElectionsOptions): Promise<void> {
  const limit = limitSilence(new AbortController().signal, {
    clock,
    ms: election.retryPeriodMs,
    reason: () => new Error('The API server did not answer in time.'),
  });
  try {
    await untilAborted(lease.release(limit.signal), limit.signal);
  } catch {
    logger.warn({ lease: election.lease }, 'The lease could not be released: others wait until it runs out.');
  } finally {
    limit.end();
  }
}
