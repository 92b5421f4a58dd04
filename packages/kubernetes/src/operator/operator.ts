import { createExporter, createSinkRegistry, parseDuration, SinkError, type Egress } from '@kollect/core';
import {
  aFunction,
  anObject,
  checkOptions,
  either,
  listOf,
  objectWith,
  oneOf,
  required,
  someText,
  type OptionKinds,
  aSignal,
} from '@kollect/core/authoring';
import { createLease } from '../leader/lease.ts';
import { runElections } from '../leader/run-elections.ts';
import { pause, systemClock } from '../watch/time-limit.ts';
import { containLogger } from './contained-logger.ts';
import type { CollectInventory } from './inventories/collect-by-host.ts';
import { limitCalls } from './limited-api.ts';
import { createOperatorEgress } from './operator-egress.ts';
import type { Operator, OperatorOptions } from './operator-types.ts';
import { startTerm, type OperatorTerm } from './term.ts';

const kinds: OptionKinds<OperatorOptions> = {
  api: required(objectWith('list', 'watch', 'get', 'create', 'replace', 'patch', 'delete', 'resourceTypes')),
  sinks: required(listOf(anObject)),
  cluster: someText,
  leader: anObject,
  resync: someText,
  egress: anObject,
  hostIdentity: listOf(anObject),
  otherNamespaces: oneOf('deny', 'allow'),
  secretRefresh: someText,
  closeDeadline: someText,
  metrics: anObject,
  tracer: either(anObject, aFunction),
  logger: anObject,
  limits: anObject,
  clock: anObject,
};

/** An operator that is complete: resources to rows and messages, status, finalizers, leader election. Begins with `run`. Throws SPEC_INVALID. */
export function createOperator(options: OperatorOptions): Operator {
  const given = checkOptions<OperatorOptions>(options, kinds, { of: 'The options of createOperator' });
  const { api, leader, clock = systemClock, closeDeadline = '20s' } = given;
  const logger = containLogger(given.logger);
  // A clock that nobody sets is right for waiting; what others compare is the time of day.
  const timeOfDay = given.clock === undefined ? () => Date.now() : () => clock.now();
  const resyncMs = parseDuration(given.resync ?? '10m', 'resync');
  parseDuration(closeDeadline, 'closeDeadline');
  if (resyncMs < 1_000)
    throw new SinkError(
      'SPEC_INVALID',
      'The option resync of createOperator must be 1s or longer: everything is exported again each time.',
      { operation: 'create' },
    );
  const guarded = createOperatorEgress({ given: given.egress, api, clock, logger });
  refuseLater(given, guarded.egress);
  const stopping = new AbortController();
  let collect: CollectInventory | undefined;
  let running: Promise<void> | undefined;
  let ended = false;
  let term: OperatorTerm | undefined;
  let answered = leader === undefined;

  const begin = (): OperatorTerm => {
    void guarded.refresh(stopping.signal);
    const started = startTerm({
      api,
      definitions: given.sinks,
      cluster: given.cluster,
      egress: guarded.egress,
      hostIdentity: given.hostIdentity,
      otherNamespaces: given.otherNamespaces ?? 'deny',
      collect,
      secretRefresh: given.secretRefresh,
      resyncMs,
      closeDeadline,
      metrics: given.metrics,
      tracer: given.tracer,
      limits: given.limits,
      logger,
      clock,
      timeOfDay,
    });
    term = started;
    return {
      get synced() {
        return started.synced;
      },
      end: (why) => started.end(why).finally(() => void (term = undefined)),
    };
  };

  /** The addresses of the API server may change while somebody leads. */
  const refreshing = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      await pause(clock, resyncMs, signal);
      if (!signal.aborted) await guarded.refresh(signal);
    }
  };

  const work = async (): Promise<void> => {
    const { signal } = stopping;
    await guarded.refresh(signal);
    if (leader === undefined) {
      const only = begin();
      await refreshing(signal);
      return only.end('stopping');
    }
    const refreshed = refreshing(signal);
    await runElections({
      lease: createLease({ api: limitCalls(api, clock), election: leader, clock }),
      election: leader,
      clock,
      logger,
      signal,
      startTerm: begin,
      onLook: (isAnswered) => void (answered = isAnswered),
    });
    await refreshed;
  };

  return {
    inventories: (given) => {
      const of = 'The function given to inventories';
      checkOptions({ collect: given }, { collect: required(aFunction) }, { of });
      if (running !== undefined || collect !== undefined)
        throw new SinkError('CONTRACT_VIOLATION', `${of} is given once, before run.`, { operation: 'create' });
      collect = given;
    },
    run: (given) => {
      const { signal } = checkOptions<{ signal?: AbortSignal }>(
        given,
        { signal: aSignal },
        { of: 'The options of run' },
      );
      if (running !== undefined)
        return Promise.reject(new SinkError('CONTRACT_VIOLATION', 'An operator runs once: make another one.'));
      const onAbort = (): void => stopping.abort();
      if (signal?.aborted === true) onAbort();
      else signal?.addEventListener('abort', onAbort, { once: true });
      running = work().finally(() => {
        ended = true;
        signal?.removeEventListener('abort', onAbort);
      });
      return running;
    },
    get health() {
      return {
        live: !ended,
        leading: term !== undefined,
        ready: !ended && (term === undefined ? running !== undefined && leader !== undefined && answered : term.synced),
      };
    },
    close: async () => {
      stopping.abort();
      await running;
    },
  };
}

/** Throws for what is wrong in these: the first to read them would be a process that begins to lead, maybe long after it began to wait. */
function refuseLater({ sinks, hostIdentity, limits, secretRefresh }: OperatorOptions, egress: Egress): void {
  const registry = createSinkRegistry(sinks, { egress, ...(hostIdentity === undefined ? {} : { hostIdentity }) });
  createExporter({ registry, ...(limits === undefined ? {} : { limits }) });
  if (secretRefresh !== undefined) parseDuration(secretRefresh, 'secretRefresh');
}
