import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { parseDuration, SinkError } from '@kollect/core';
import { checkOptions, required, someText, type OptionKinds } from '@kollect/core/authoring';
import { longestLeaseMs } from './lease-record.ts';

export interface LeaderElectionOptions {
  /** Name of the Lease; it is made where there is none. */
  readonly lease: string;
  /** Where the Lease is: the operator's own namespace. */
  readonly namespace: string;
  /** Who holds it, unlike that of any other process. Default: the host name and something random. */
  readonly identity?: string;
  /** How long others wait after the holder was last heard. Default `15s`. */
  readonly leaseDuration?: string;
  /** A holder that could not renew for so long stops to lead. Default `10s`; less than `leaseDuration`. */
  readonly renewDeadline?: string;
  /** Wait between two calls. Default `2s`; less than `renewDeadline`. */
  readonly retryPeriod?: string;
}

/** What `createOperator` takes as `leader`. */
export interface LeaderElection {
  readonly lease: string;
  readonly namespace: string;
  readonly identity: string;
  readonly leaseDurationMs: number;
  readonly renewDeadlineMs: number;
  readonly retryPeriodMs: number;
}

const kinds: OptionKinds<LeaderElectionOptions> = {
  lease: required(someText),
  namespace: required(someText),
  identity: someText,
  leaseDuration: someText,
  renewDeadline: someText,
  retryPeriod: someText,
};

/** One of several processes leads: the one that holds a Lease. Throws SPEC_INVALID. */
export function leaderElection(options: LeaderElectionOptions): LeaderElection {
  const of = 'The options of leaderElection';
  const given = checkOptions<LeaderElectionOptions>(options, kinds, { of });
  const leaseDurationMs = parseDuration(given.leaseDuration ?? '15s', 'leaseDuration');
  const renewDeadlineMs = parseDuration(given.renewDeadline ?? '10s', 'renewDeadline');
  const retryPeriodMs = parseDuration(given.retryPeriod ?? '2s', 'retryPeriod');
  const refuse = (problem: string): never => {
    throw new SinkError('SPEC_INVALID', `${of}: ${problem}.`, { operation: 'create' });
  };
  if (leaseDurationMs < 1_000 || leaseDurationMs > longestLeaseMs) refuse('leaseDuration must be from 1s to 1h');
  if (renewDeadlineMs >= leaseDurationMs)
    refuse('renewDeadline must be less than leaseDuration: a holder stops before others begin');
  if (retryPeriodMs <= 0 || retryPeriodMs >= renewDeadlineMs)
    refuse('retryPeriod must be more than 0 and less than renewDeadline');
  return Object.freeze({
    lease: given.lease,
    namespace: given.namespace,
    identity: given.identity ?? `${hostname()}_${randomUUID()}`,
    leaseDurationMs,
    renewDeadlineMs,
    retryPeriodMs,
  });
}
