import { expect, test } from '@jest/globals';
import type { DeliveryLogger } from '@kollect/core';
import { apiVersion, sinkType } from '../resources/resource-types.ts';
import { createFakeApi } from '../testing/fake-api.ts';
import { manualClock, settle } from '../testing/manual-clock.fixture.ts';
import { watchKollect } from './kollect-watches.ts';

const quiet = (): void => undefined;
const logger: DeliveryLogger = { debug: quiet, info: quiet, warn: quiet, error: quiet };

test('a spec, a finalizer and a deletion wake, a status does not', async () => {
  const clock = manualClock();
  const api = createFakeApi({ clock });
  const woken: string[] = [];
  const stop = new AbortController();
  const put = (fields: object, metadata: object = {}) =>
    api.put({ apiVersion, kind: 'KollectSink', metadata: { namespace: 'shop', name: 'a', ...metadata }, ...fields });
  const watch = watchKollect({
    api,
    type: sinkType,
    clock,
    logger,
    signal: stop.signal,
    onObject: ({ name }) => void woken.push(name),
    onSynced: () => void woken.push('synced'),
  });
  expect(watch.has({ namespace: 'shop', name: 'a' })).toBeUndefined();
  await settle();
  expect(watch.has({ namespace: 'shop', name: 'a' })).toBe(false);
  const steps: readonly (readonly [() => unknown, number])[] = [
    [() => put({ spec: { type: 'memory' } }), 1],
    [() => put({ spec: { type: 'memory' }, status: { a: 1 } }), 0],
    [() => put({ spec: { type: 'memory' }, status: { a: 2 } }), 0],
    [() => put({ spec: { type: 'kafka' }, status: { a: 2 } }), 1],
    [() => put({ spec: { type: 'kafka' }, status: { a: 2 } }, { finalizers: ['x'] }), 1],
    [() => api.remove('KollectSink', { namespace: 'shop', name: 'a' }), 1],
  ];
  for (const [step, count] of steps) {
    woken.length = 0;
    step();
    await settle();
    expect(woken).toHaveLength(count);
  }
  stop.abort();
  await watch.close();
});
