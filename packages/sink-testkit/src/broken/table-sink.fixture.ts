import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  defineSink,
  refuseFutureTime,
  SinkError,
  type ConnectionReport,
  type ExportPlan,
  type InventorySnapshot,
  type Item,
  type ItemCounts,
  type KollectSink,
  type Scope,
  type SealedItem,
  type SinkErrorCode,
} from '@kollect/core';
import { incompleteTargetTest } from '@kollect/core/authoring';

export interface TableScope {
  readonly rows: ReadonlyMap<string, Item>;
  readonly appliedAt: string;
  /** Absent where the rows may differ from the last snapshot. */
  readonly checksum?: string | undefined;
  readonly removed?: true;
}

/** A database in miniature: rows by scope, and one lock. */
export interface Table {
  readonly scopes: Map<string, TableScope>;
  tail: Promise<void>;
  /** What is written before it counts. */
  readonly drafts: Set<string>;
  /** What every write fails with. */
  failure?: SinkErrorCode | undefined;
}

export function createTable(): Table {
  return { scopes: new Map(), tail: Promise.resolve(), drafts: new Set() };
}

/** Where a sink can be broken. */
export interface TableRules {
  scopeKey(scope: Scope): string;
  itemKey(item: Item | SealedItem): string;
  row(item: SealedItem): Item;
  takes(item: Item, held: TableScope | undefined): boolean;
  keeps(row: Item, snapshot: InventorySnapshot): boolean;
  differs(held: Item, next: Item): boolean;
  isOlder(time: string, held: TableScope | undefined): boolean;
  isSame(snapshot: InventorySnapshot, held: TableScope | undefined): boolean;
  checksum(snapshot: InventorySnapshot, held: TableScope | undefined): string | undefined;
  afterRemoval(removedAt: string, held: TableScope | undefined): TableScope | undefined;
  /** What an older removal of what is gone already ends as. */
  readonly olderRemoval: 'unchanged' | 'superseded';
  refuseFuture(field: 'exportedAt' | 'removedAt', time: string): void;
  commit(table: Table, key: string, next: TableScope, pause: () => Promise<void>): Promise<void>;
  readonly locked: boolean;
  readonly fencesUnchanged: boolean;
}

export const scopeKey = (scope: Scope): string =>
  JSON.stringify([scope.cluster ?? '', scope.inventoryNamespace, scope.inventoryName]);

export const goodRules: TableRules = {
  scopeKey,
  itemKey: ({ targetName, uid }) => JSON.stringify([targetName, uid]),
  row: (item) => JSON.parse(Buffer.from(item.json).toString()) as Item,
  takes: () => true,
  keeps: (row, snapshot) => incompleteTargetTest(snapshot.incompleteTargets)(row),
  differs: (held, next) => JSON.stringify(held) !== JSON.stringify(next),
  isOlder: (time, held) => held !== undefined && Date.parse(time) < Date.parse(held.appliedAt),
  isSame: (snapshot, held) => held?.checksum === snapshot.checksum,
  checksum: (snapshot) => (snapshot.incompleteTargets.length === 0 ? snapshot.checksum : undefined),
  afterRemoval: (removedAt) => ({ rows: new Map(), appliedAt: removedAt, removed: true }),
  olderRemoval: 'unchanged',
  refuseFuture: (field, time) => refuseFutureTime(field, time, new Date()),
  commit: async (table, key, next, pause) => {
    table.drafts.add(key);
    try {
      for (let step = 0; step < 3; step += 1) await pause();
      if (table.failure !== undefined)
        throw new SinkError(table.failure, 'The table takes no rows.', { sinkType: 'table' });
      table.scopes.set(key, next);
    } finally {
      table.drafts.delete(key);
    }
  },
  locked: true,
  fencesUnchanged: true,
};

export interface TableSinkOptions {
  readonly table: Table;
  readonly rules?: Partial<TableRules>;
  readonly reachable?: boolean;
}

/** A complete sink that works in steps, as one with a network in between does, and can be broken at every rule. */
export function createTableSink({
  table,
  rules: broken = {},
  reachable = true,
}: TableSinkOptions): Required<KollectSink> {
  const rules: TableRules = { ...goodRules, ...broken };
  let closed = false;

  const alive = (signal: AbortSignal): void => {
    if (signal.aborted) throw abortError(signal);
    if (closed) throw new SinkError('ABORTED', 'The sink is closed.');
    if (!reachable)
      throw new SinkError('UNAVAILABLE', 'Nobody listens at 127.0.0.1:1; start the store.', { sinkType: 'table' });
  };
  const pauseFor = (signal: AbortSignal) => async (): Promise<void> => {
    await nextTurn();
    alive(signal);
  };

  return {
    open: async ({ signal }) => alive(signal),
    export: async (snapshot, { signal }) => {
      alive(signal);
      rules.refuseFuture('exportedAt', snapshot.exportedAt);
      return exclusively(table, rules.locked, async () => {
        const pause = pauseFor(signal);
        await pause();
        const key = rules.scopeKey(snapshot);
        const held = table.scopes.get(key);
        const { outcome, counts, next } = compare(rules, snapshot, held);
        if (outcome === 'applied') await rules.commit(table, key, next, pause);
        if (outcome === 'unchanged' && rules.fencesUnchanged && held !== undefined) {
          table.scopes.set(key, { ...held, appliedAt: snapshot.exportedAt });
        }
        const written = outcome === 'applied';
        return { outcome, counts, messages: written ? 1 : 0, bytes: written ? snapshot.itemsByteLength : 0 };
      });
    },
    plan: async (snapshot, { signal }): Promise<ExportPlan> => {
      rules.refuseFuture('exportedAt', snapshot.exportedAt);
      await pauseFor(signal)();
      const { outcome, counts, samples } = compare(rules, snapshot, table.scopes.get(rules.scopeKey(snapshot)));
      return { outcome, counts, samples };
    },
    removeInventory: async (scope, { signal, removedAt }) => {
      alive(signal);
      rules.refuseFuture('removedAt', removedAt);
      return exclusively(table, rules.locked, async () => {
        await pauseFor(signal)();
        const key = rules.scopeKey(scope);
        const held = table.scopes.get(key);
        if (rules.isOlder(removedAt, held)) {
          const outcome = held?.removed === true ? rules.olderRemoval : 'superseded';
          return { outcome, counts: none, messages: 0, bytes: 0 };
        }
        const next = rules.afterRemoval(removedAt, held);
        if (next === undefined) table.scopes.delete(key);
        else table.scopes.set(key, next);
        const deleted = held?.rows.size ?? 0;
        return {
          outcome: deleted === 0 ? 'unchanged' : 'applied',
          counts: { ...none, deleted },
          messages: 1,
          bytes: 0,
        };
      });
    },
    testConnection: async ({ signal }): Promise<ConnectionReport> => {
      await nextTurn();
      if (signal.aborted) throw abortError(signal);
      return reachable && table.failure === undefined ? passedReport : failedReport;
    },
    close: async () => {
      closed = true;
    },
  };
}

export const none: ItemCounts = { inserted: 0, updated: 0, deleted: 0, unchanged: 0 };

export const passedReport: ConnectionReport = {
  ok: true,
  steps: [
    { name: 'connect', status: 'passed', code: 'OK', found: 'a table', durationMs: 0.5 },
    { name: 'privileges', status: 'passed', code: 'OK', found: 'all of them', durationMs: 0 },
  ],
};

export const failedReport: ConnectionReport = {
  ok: false,
  steps: [
    {
      name: 'connect',
      status: 'failed',
      code: 'UNAVAILABLE',
      found: 'nobody listens',
      remedy: 'Start the store.',
      durationMs: 1,
    },
    { name: 'privileges', status: 'skipped', code: 'SKIPPED', found: 'no connection', durationMs: 0 },
  ],
};

export const tableDefinition = defineSink({
  type: 'table',
  contractVersion: 1,
  role: 'relational-store',
  capabilities: { fenced: true, deletes: true, plan: true, removeInventory: true },
  specSchema: {
    type: 'object',
    properties: { table: { type: 'string', description: 'Name of the table.' } },
    required: ['table'],
    additionalProperties: false,
  },
  create: () => createTableSink({ table: createTable() }),
});

export function abortError(signal: AbortSignal): SinkError {
  const timedOut = (signal.reason as { name?: unknown } | undefined)?.name === 'TimeoutError';
  return new SinkError(timedOut ? 'TIMEOUT' : 'ABORTED', timedOut ? 'The time limit passed.' : 'The caller aborted.', {
    sinkType: 'table',
  });
}

async function exclusively<T>(table: Table, locked: boolean, run: () => Promise<T>): Promise<T> {
  if (!locked) return run();
  const before = table.tail;
  let release = (): void => undefined;
  table.tail = new Promise((resolve) => {
    release = resolve;
  });
  await before;
  try {
    return await run();
  } finally {
    release();
  }
}

type Comparison = ExportPlan & { readonly next: TableScope };

function compare(rules: TableRules, snapshot: InventorySnapshot, held: TableScope | undefined): Comparison {
  const rows = new Map<string, Item>();
  const inserted: Item[] = [];
  const updated: Item[] = [];
  for (const sealed of snapshot.items) {
    const item = rules.row(sealed);
    if (!rules.takes(item, held)) continue;
    const key = rules.itemKey(item);
    const old = held?.rows.get(key);
    if (old === undefined) inserted.push(item);
    else if (rules.differs(old, item)) updated.push(item);
    rows.set(key, old === undefined || rules.differs(old, item) ? item : old);
  }
  const deleted: Item[] = [];
  for (const [key, row] of held?.rows ?? []) {
    if (rows.has(key)) continue;
    if (rules.keeps(row, snapshot)) rows.set(key, row);
    else deleted.push(row);
  }
  const next: TableScope = { rows, appliedAt: snapshot.exportedAt, checksum: rules.checksum(snapshot, held) };
  const sample = (items: readonly Item[]) => items.slice(0, 10).map(({ targetName, uid }) => ({ targetName, uid }));
  const nothing = { inserted: [], updated: [], deleted: [] };
  if (rules.isOlder(snapshot.exportedAt, held)) return { outcome: 'superseded', counts: none, samples: nothing, next };
  if (rules.isSame(snapshot, held))
    return { outcome: 'unchanged', counts: { ...none, unchanged: snapshot.items.length }, samples: nothing, next };
  const unchanged = snapshot.items.length - inserted.length - updated.length;
  const counts = { inserted: inserted.length, updated: updated.length, deleted: deleted.length, unchanged };
  return {
    outcome: 'applied',
    counts,
    samples: { inserted: sample(inserted), updated: sample(updated), deleted: sample(deleted) },
    next,
  };
}
