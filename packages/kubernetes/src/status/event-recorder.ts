import { randomBytes } from 'node:crypto';
import type { DeliveryClock, DeliveryLogger } from '@kollect/core';
import type { KubernetesApi, ResourceType } from '../api/kubernetes-api.ts';
import { textOfReason } from './reasons.ts';
import type { Flip } from './status-writer.ts';

const eventType: ResourceType = { apiVersion: 'v1', kind: 'Event', plural: 'events', namespaced: true };

export interface EventRecorderOptions {
  readonly api: Pick<KubernetesApi, 'create'>;
  readonly clock: DeliveryClock;
  readonly timeOfDay: () => number;
  readonly logger: DeliveryLogger;
  readonly signal: AbortSignal;
}

/** Tells of conditions that flip, as Events. */
export interface EventRecorder {
  record(flip: Flip): void;
}

/** The same of the same object is told again after so long. */
const repeatMs = 5 * 60_000;
/** Events of all objects together: so many at once, and one more after each of these. */
const burst = 25;
const refillMs = 10_000;
const mostRemembered = 10_000;

/** Every Event has the constant text of its reason: nothing of a store, and nothing that a tenant wrote, is in it. One that cannot be written is dropped. */
export function createEventRecorder({ api, clock, timeOfDay, logger, signal }: EventRecorderOptions): EventRecorder {
  const told = new Map<string, number>();
  let tokens = burst;
  let filledAt = clock.now();

  const mayTell = (key: string): boolean => {
    const now = clock.now();
    const refilled = Math.floor((now - filledAt) / refillMs);
    tokens = Math.min(burst, tokens + refilled);
    filledAt += refilled * refillMs;
    if (now - (told.get(key) ?? -Infinity) < repeatMs || tokens === 0) return false;
    tokens -= 1;
    told.delete(key);
    told.set(key, now);
    for (const old of told.keys()) {
      if (told.size <= mostRemembered && now - (told.get(old) ?? now) < repeatMs) break;
      told.delete(old);
    }
    return true;
  };

  return {
    record: ({ object, condition, was }) => {
      const { type, status, reason } = condition;
      const isBad = status === (type === 'Degraded' ? 'True' : 'False');
      // That something works is news after it did not.
      if (!isBad && (status === 'Unknown' || was === undefined || was === 'Unknown')) return;
      const { uid = '', name, namespace = 'default', resourceVersion } = object.metadata;
      if (!mayTell(`${uid} ${type} ${reason}`)) return;
      const at = new Date(timeOfDay()).toISOString().replace(/\.\d+Z$/u, 'Z');
      const { apiVersion, kind } = object;
      const event = {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { namespace, name: `${name.slice(0, 200)}.${randomBytes(8).toString('hex')}` },
        involvedObject: { apiVersion, kind, namespace, name, uid, resourceVersion },
        type: isBad ? 'Warning' : 'Normal',
        reason,
        message: `${type}=${status}: ${textOfReason(reason)}`,
        source: { component: 'kollect-operator' },
        reportingComponent: 'kollect-operator',
        firstTimestamp: at,
        lastTimestamp: at,
        count: 1,
      };
      api.create(eventType, event, { signal }).catch((error: unknown) => {
        if (!signal.aborted)
          logger.debug({ reason, why: error instanceof Error ? error.name : 'unknown' }, 'An Event was dropped.');
      });
    },
  };
}
