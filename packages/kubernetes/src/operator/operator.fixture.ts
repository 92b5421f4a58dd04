import {
  memorySink,
  SinkError,
  type Egress,
  type InventorySnapshot,
  type MemorySinkDefinition,
  type SinkDefinition,
} from '@kollect/core';
import type { ApiObject, ResourceType } from '../api/kubernetes-api.ts';
import { apiVersion } from '../resources/resource-types.ts';
import { fieldOf } from '../status/conditions.ts';
import { createFakeApi } from '../testing/fake-api.ts';
import type { FakeApi } from '../testing/fake-api-types.ts';
import { manualClock, type ManualClock } from '../testing/manual-clock.fixture.ts';
import type { Operator, OperatorOptions } from './operator-types.ts';
import { createOperator } from './operator.ts';

/** A cluster with an operator in it, whose time passes when a test says so. */
export interface World {
  readonly api: FakeApi;
  readonly clock: ManualClock;
  readonly store: MemorySinkDefinition;
  readonly logged: string[];
  /** Another operator of the same cluster; it runs at once. */
  start(options?: Partial<OperatorOptions>, prepare?: (operator: Operator) => void): Operator;
  put(kind: string, name: string, fields: object, metadata?: object): ApiObject;
  /** Lets time pass until it is true. */
  until(what: string, isTrue: () => boolean, limitMs?: number): Promise<void>;
  /** Names of the objects that the store holds of the inventory; undefined where it holds none. */
  rows(inventory?: string): readonly string[] | undefined;
  snapshot(inventory?: string): InventorySnapshot | undefined;
  /** `Ready=True Accepted` of a resource, or of one of its sinks. */
  condition(kind: string, name: string, type: string, sink?: string): string | undefined;
  close(): Promise<void>;
}

export const openEgress: Egress = {
  dial: () => Promise.reject(new Error('Nobody dials.')),
  socket: () => {
    throw new Error('Nobody dials.');
  },
  lookup: () => undefined,
  check: () => undefined,
};

export interface WorldOptions {
  /** What stands between the operator and the store. */
  readonly wrap?: (definition: SinkDefinition) => SinkDefinition;
  readonly resourceTypes?: readonly ResourceType[];
}

export function createWorld({ wrap = (one) => one, resourceTypes = [] }: WorldOptions = {}): World {
  const clock = manualClock();
  const api = createFakeApi({ clock, resourceTypes });
  const store = memorySink({ now: () => new Date(clock.now()) });
  const sinks = [wrap(store)];
  const operators: Operator[] = [];
  const logged: string[] = [];
  const log = (fields: object, message: string): void => void logged.push(`${message} ${JSON.stringify(fields)}`);
  const logger = { debug: () => undefined, info: log, warn: log, error: log };
  const snapshot = (inventory = 'portal'): InventorySnapshot | undefined =>
    [...store.contents().values()].find(({ inventoryName }) => inventoryName === inventory);

  const world: World = {
    api,
    clock,
    store,
    logged,
    start: (options, prepare) => {
      const operator = createOperator({ api, sinks, clock, logger, egress: openEgress, ...options });
      prepare?.(operator);
      operators.push(operator);
      void operator.run();
      return operator;
    },
    put: (kind, name, fields, metadata = {}) =>
      api.put({ apiVersion, kind, metadata: { namespace: 'shop', name, ...metadata }, ...fields }),
    until: async (what, isTrue, limitMs = 600_000) => {
      const end = clock.now() + limitMs;
      while (!isTrue()) {
        if (clock.now() >= end) throw new Error(`It did not come to this: ${what}.\n${logged.slice(-20).join('\n')}`);
        await clock.advance(100);
      }
    },
    snapshot,
    rows: (inventory) =>
      snapshot(inventory)
        ?.items.map(({ name }) => name)
        .sort(),
    condition: (kind, name, type, sink) => {
      const status = api.read(kind, { namespace: 'shop', name })?.['status'];
      const sinksOf = fieldOf(status, 'sinks');
      const entry =
        sink === undefined
          ? status
          : (sinksOf as readonly unknown[] | undefined)?.find((each) => fieldOf(each, 'name') === sink);
      const all = fieldOf(entry, 'conditions') as readonly unknown[] | undefined;
      const found = all?.find((each) => fieldOf(each, 'type') === type);
      return found === undefined
        ? undefined
        : `${String(fieldOf(found, 'status'))} ${String(fieldOf(found, 'reason'))}`;
    },
    close: async () => {
      api.heal();
      const closing = Promise.all(operators.map((operator) => operator.close()));
      let closed = false;
      void closing.finally(() => (closed = true));
      while (!closed) await clock.advance(100);
      await closing;
    },
  };
  return world;
}

export const memorySpec = { spec: { type: 'memory' } };
export const deploymentTarget = {
  spec: { resources: [{ apiVersion: 'apps/v1', kind: 'Deployment' }], attributes: { replicas: '.spec.replicas' } },
};
export const inventoryOf = (sinks: readonly string[] = ['store'], targets: readonly string[] = ['deployments']) => ({
  spec: { sinkRefs: sinks.map((name) => ({ name })), targetRefs: targets.map((name) => ({ name })) },
});
export const deployment = (name: string, replicas = 1, namespace = 'shop'): ApiObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { namespace, name },
  spec: { replicas },
});

/** A sink, a target, an inventory and two Deployments. */
export function applySample({ put, api }: World): void {
  put('KollectSink', 'store', memorySpec);
  put('KollectTarget', 'deployments', deploymentTarget);
  put('KollectInventory', 'portal', inventoryOf());
  api.put(deployment('cart'));
  api.put(deployment('web', 3));
}

/** A store that is down, or says nothing, when a test says so. */
export function faultySink() {
  const state = {
    down: false,
    hangs: false,
    /** Exports and removals that reached the sink. */
    calls: 0,
    wrap: (definition: SinkDefinition): SinkDefinition => ({
      ...definition,
      create: (context) => {
        const sink = definition.create(context);
        const meet = async (signal: AbortSignal): Promise<void> => {
          state.calls += 1;
          if (state.down) throw new SinkError('UNAVAILABLE', 'The store is down: row data.', { retryable: false });
          if (!state.hangs) return;
          await new Promise((_, reject) => {
            const end = (): void => reject(new SinkError('ABORTED', 'Ended.'));
            if (signal.aborted) end();
            else signal.addEventListener('abort', end, { once: true });
          });
        };
        return {
          ...sink,
          export: async (snapshot, options) => {
            await meet(options.signal);
            return sink.export(snapshot, options);
          },
          removeInventory: async (scope, options) => {
            await meet(options.signal);
            if (sink.removeInventory === undefined) throw new Error('It cannot remove.');
            return sink.removeInventory(scope, options);
          },
        };
      },
    }),
  };
  return state;
}
