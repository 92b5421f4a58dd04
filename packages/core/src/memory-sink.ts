import { abortError } from './connection/abort-error.ts';
import { refuseFutureTime } from './contract/clock.ts';
import { SinkError } from './contract/errors.ts';
import { formatScope } from './contract/scope.ts';
import type { ExportPlan, ExportResult, ItemCounts, KollectSink } from './contract/sink.ts';
import type { InventorySnapshot, Scope, SealedItem } from './contract/snapshot.ts';
import { compareItems } from './contract/sort-items.ts';
import { defineSink, type SinkDefinition } from './registry/define-sink.ts';
import type { SpecInput, SpecOf, SpecSchema } from './registry/spec-schema.ts';

const specSchema = { type: 'object', properties: {}, additionalProperties: false } as const satisfies SpecSchema;

/** A sink type whose sinks share one store in memory, and the way to read that store. */
export interface MemorySinkDefinition extends SinkDefinition<
  'memory',
  SpecInput<typeof specSchema>,
  SpecOf<typeof specSchema>
> {
  /** What the store holds now, by `formatScope`. Items kept for an incomplete target are among the items, though not in the checksum. */
  contents(): ReadonlyMap<string, InventorySnapshot>;
}

/** One scope of the store. After a removal the fence stays, so that an older snapshot cannot bring the items back. */
interface Entry {
  readonly appliedAt: string;
  readonly snapshot?: InventorySnapshot;
  /** False where items were kept for incomplete targets: then an equal checksum does not mean an equal store. */
  readonly exact: boolean;
}

/** The smallest complete sink: for tests, for demos, and as the example to read first. Each call has a store of its own. */
export function memorySink({ now = () => new Date() }: { readonly now?: () => Date } = {}): MemorySinkDefinition {
  const store = new Map<string, Entry>();

  const createSink = (): KollectSink => {
    let closed = false;
    const begin = (signal: AbortSignal, what: string): void => {
      if (closed) throw new SinkError('CONTRACT_VIOLATION', `${what} was asked of a memory sink that is closed.`);
      if (signal.aborted) throw abortError(signal, what);
    };
    return {
      async export(snapshot, { signal }) {
        begin(signal, `The export of ${formatScope(snapshot)}`);
        refuseFutureTime('exportedAt', snapshot.exportedAt, now());
        const entry = store.get(formatScope(snapshot));
        const { outcome, changes } = compare(snapshot, entry);
        if (outcome === 'superseded') return result(outcome, changes);
        const exact = outcome === 'unchanged' || changes.kept.length === 0;
        const items =
          changes.kept.length === 0 ? snapshot.items : [...snapshot.items, ...changes.kept].sort(compareItems);
        store.set(formatScope(snapshot), {
          appliedAt: snapshot.exportedAt,
          snapshot: Object.freeze({ ...snapshot, items }),
          exact,
        });
        return result(outcome, changes);
      },
      async plan(snapshot, { signal }): Promise<ExportPlan> {
        begin(signal, `The plan for ${formatScope(snapshot)}`);
        refuseFutureTime('exportedAt', snapshot.exportedAt, now());
        const { outcome, changes } = compare(snapshot, store.get(formatScope(snapshot)));
        const sample = (items: readonly SealedItem[]) =>
          items.slice(0, 10).map(({ targetName, uid }) => ({ targetName, uid }));
        const { inserted, updated, deleted } = changes;
        return {
          outcome,
          counts: count(changes),
          samples: { inserted: sample(inserted), updated: sample(updated), deleted: sample(deleted) },
        };
      },
      async removeInventory(scope: Scope, { removedAt, signal }) {
        begin(signal, `The removal of ${formatScope(scope)}`);
        refuseFutureTime('removedAt', removedAt, now());
        const entry = store.get(formatScope(scope));
        // An older removal of what is gone already has nothing to do.
        if (isOlder(removedAt, entry))
          return result(entry?.snapshot === undefined ? 'unchanged' : 'superseded', nothing);
        store.set(formatScope(scope), { appliedAt: removedAt, exact: true });
        const changes = { ...nothing, deleted: entry?.snapshot?.items ?? [] };
        return result(entry?.snapshot === undefined ? 'unchanged' : 'applied', changes);
      },
      async testConnection({ signal }) {
        begin(signal, 'The connection test');
        return {
          ok: true,
          steps: [{ name: 'memory', status: 'passed', code: 'OK', found: 'memory of this process', durationMs: 0 }],
        };
      },
      async close() {
        closed = true;
      },
    };
  };

  const capabilities = { fenced: true, deletes: true, plan: true, removeInventory: true };
  const definition = defineSink({
    type: 'memory',
    contractVersion: 1,
    role: 'snapshot-store',
    capabilities,
    credentialFields: [],
    specSchema,
    create: createSink,
  });
  const contents = () =>
    new Map([...store].flatMap(([key, { snapshot }]) => (snapshot === undefined ? [] : [[key, snapshot] as const])));
  return Object.freeze({ ...definition, contents });
}

interface Changes extends Record<keyof ItemCounts, readonly SealedItem[]> {
  /** Absent from the snapshot and kept, because the listing of their target was cut short. */
  readonly kept: readonly SealedItem[];
}

const nothing: Changes = { inserted: [], updated: [], deleted: [], unchanged: [], kept: [] };

function compare(
  snapshot: InventorySnapshot,
  entry: Entry | undefined,
): { readonly outcome: ExportResult['outcome']; readonly changes: Changes } {
  if (isOlder(snapshot.exportedAt, entry)) return { outcome: 'superseded', changes: nothing };
  const stored = entry?.snapshot;
  if (entry?.exact === true && stored?.checksum === snapshot.checksum)
    return { outcome: 'unchanged', changes: { ...nothing, unchanged: snapshot.items } };
  const absent = new Map(stored?.items.map((item) => [keyOf(item), item]));
  const changes: { [K in keyof Changes]: SealedItem[] } = {
    inserted: [],
    updated: [],
    deleted: [],
    unchanged: [],
    kept: [],
  };
  for (const item of snapshot.items) {
    const old = absent.get(keyOf(item));
    absent.delete(keyOf(item));
    if (old === undefined) changes.inserted.push(item);
    else changes[Buffer.compare(old.json, item.json) === 0 ? 'unchanged' : 'updated'].push(item);
  }
  for (const item of absent.values())
    changes[snapshot.incompleteTargets.includes(item.targetName) ? 'kept' : 'deleted'].push(item);
  return { outcome: 'applied', changes };
}

function isOlder(time: string, entry: Entry | undefined): boolean {
  return entry !== undefined && Date.parse(time) < Date.parse(entry.appliedAt);
}

function keyOf({ targetName, uid }: SealedItem): string {
  return JSON.stringify([targetName, uid]);
}

function count({ inserted, updated, deleted, unchanged }: Changes): ItemCounts {
  return { inserted: inserted.length, updated: updated.length, deleted: deleted.length, unchanged: unchanged.length };
}

function result(outcome: ExportResult['outcome'], changes: Changes): ExportResult {
  const written = [...changes.inserted, ...changes.updated];
  return {
    outcome,
    counts: count(changes),
    messages: written.length > 0 ? 1 : 0,
    bytes: written.reduce((sum, { json }) => sum + json.byteLength, 0),
  };
}
