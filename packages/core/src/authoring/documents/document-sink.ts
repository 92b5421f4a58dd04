import { setTimeout as delay } from 'node:timers/promises';
import { aPositiveNumber, checkOptions, objectWith, required } from '../../contract/errors/check-options.ts';
import { refuseFutureTime } from '../../contract/clock.ts';
import { SinkError } from '../../contract/errors/errors.ts';
import { formatScope } from '../../contract/snapshot/scope.ts';
import type { ExportOptions, ExportPlan, ExportResult, RemoveInventoryOptions } from '../../contract/sink.ts';
import type { InventorySnapshot, Scope } from '../../contract/snapshot/snapshot.ts';
import type { OperationScope } from '../operations/operation-scope.ts';
import type { Operations } from '../operations/operations.ts';
import { noDifference } from './compare-items.ts';
import { prepareContent, prepareFence, prepareTombstone, type PreparedCommit } from './document-commit.ts';
import { decide, isDamage, type Decision } from './document-decision.ts';
import { isOlder, isSameHead, tombstone } from './document-head.ts';
import type { DocumentLayout } from './document-layout.ts';
import { readState, type DocumentState } from './document-state.ts';
import type { CommitResult, DocumentStore } from './document-store.ts';
import { createLeftovers } from './leftovers.ts';

export interface DocumentSinkOptions {
  readonly operations: Operations;
  readonly store: DocumentStore;
  readonly layout: DocumentLayout;
  /** Of one part, or of the one document. Default: `maxDocumentBytes`. */
  readonly maxPartBytes?: number;
  /** Of all parts of a snapshot, read or written. Default 1 GiB. */
  readonly maxDocumentBytes?: number;
  /** Limit of each operation, in milliseconds. Default: that of its caller alone. */
  readonly timeoutMs?: number;
}

/** The three operations of a KollectSink that its store decides about. */
export interface DocumentSink {
  export(snapshot: InventorySnapshot, options: ExportOptions): Promise<ExportResult>;
  plan(snapshot: InventorySnapshot, options: ExportOptions): Promise<ExportPlan>;
  removeInventory(scope: Scope, options: RemoveInventoryOptions): Promise<ExportResult>;
}

/** How often a head may change under an export before somebody else gets the turn. */
const maxRounds = 20;
const defaultMaxBytes = 1024 * 1024 * 1024;

/**
 * Keeps snapshots in a store that can compare and swap one file: fence, checksum shortcut, items of incomplete targets, tombstones, leftovers,
 * plan and counts. A lost race reads the head again and decides again.
 */
export function createDocumentSink(given: DocumentSinkOptions): DocumentSink {
  const options = checkOptions<DocumentSinkOptions>(given, kinds, {
    of: 'The options of createDocumentSink',
    code: 'CONTRACT_VIOLATION',
  });
  const { operations, store, layout, maxDocumentBytes = defaultMaxBytes, timeoutMs } = options;
  const limits = { layout, maxDocumentBytes, maxPartBytes: options.maxPartBytes ?? maxDocumentBytes };
  const leftovers = createLeftovers({ store, layout });

  const withState = async <T>(scope: Scope, operation: OperationScope, use: (state: DocumentState) => Promise<T>) => {
    const state = await readState({ store, layout, scope, maxDocumentBytes, operation });
    try {
      return await use(state);
    } finally {
      await state.close();
    }
  };

  /** What is read while somebody else commits may look damaged: then the head is another one by now. */
  const decideOn = (snapshot: InventorySnapshot, operation: OperationScope): Promise<DecisionOn | undefined> =>
    withState(snapshot, operation, async (state) => {
      const headIs = async (): Promise<boolean> =>
        withState(snapshot, operation, async ({ version }) => version === state.version);
      try {
        return { state, decision: await decide(snapshot, state, operation) };
      } catch (error) {
        operation.throwIfEnded();
        if (isDamage(error) && !(await headIs())) return undefined;
        throw error;
      }
    });

  const commit = async (
    scope: Scope,
    { head, parts, manifest }: PreparedCommit,
    { state, snapshot, operation }: CommitContext,
  ): Promise<CommitResult> => {
    const signal = operation.signal;
    const removed = await leftovers.find(scope, { before: state.head, after: head }, { signal });
    operation.throwIfEnded();
    leftovers.disturbed(scope);
    const content = snapshot === undefined ? {} : { snapshot };
    const result = await store.commit(
      { scope, parts, manifest, removed, ifVersion: state.version, ...content },
      { signal },
    );
    if (result.outcome === 'committed' && result.leftBehind !== true) leftovers.cleaned(scope);
    return result;
  };

  const refuseFuture = async (field: 'exportedAt' | 'removedAt', time: string, { signal }: OperationScope) =>
    refuseFutureTime(field, time, await store.now({ signal }));

  return {
    export: (snapshot, { signal }) => {
      const doing = `exporting inventory ${formatScope(snapshot)}`;
      return operations.run({ operation: 'export', doing, signal, timeoutMs }, async (operation) => {
        await refuseFuture('exportedAt', snapshot.exportedAt, operation);
        return untilCommitted(snapshot, operation, async (attempted) => {
          const decided = await decideOn(snapshot, operation);
          if (decided === undefined) return undefined;
          const { state, decision } = decided;
          if (attempted !== undefined && state.head !== undefined && isSameHead(state.head, attempted.prepared.head))
            return { result: attempted.result };
          if (decision.write === 'nothing') return { result: resultOf(decision) };
          const prepared =
            decision.write === 'fence' && state.head !== undefined
              ? prepareFence(decision.content, state.head, limits)
              : prepareContent(decision.content, limits);
          const result = resultOf(decision, prepared);
          const done = await commit(snapshot, prepared, { state, snapshot: decision.content, operation });
          return roundOf(done, prepared, result);
        });
      });
    },
    plan: (snapshot, { signal }) => {
      const doing = `planning an export of inventory ${formatScope(snapshot)}`;
      return operations.run({ operation: 'plan', doing, signal, timeoutMs }, async (operation) => {
        await refuseFuture('exportedAt', snapshot.exportedAt, operation);
        return untilCommitted(snapshot, operation, async () => {
          const decided = await decideOn(snapshot, operation);
          return decided === undefined ? undefined : { result: planOf(decided.decision) };
        });
      });
    },
    removeInventory: (scope, { removedAt, signal }) => {
      const doing = `removing inventory ${formatScope(scope)}`;
      return operations.run({ operation: 'remove-inventory', doing, signal, timeoutMs }, async (operation) => {
        await refuseFuture('removedAt', removedAt, operation);
        const time = new Date(removedAt).toISOString();
        return untilCommitted(scope, operation, async (attempted) => {
          // Closed before anything is written: no file system replaces every file that is open.
          const state = await withState(scope, operation, async ({ head, version }) => ({ head, version }));
          const { head } = state;
          if (attempted !== undefined && head !== undefined && isSameHead(head, attempted.prepared.head))
            return { result: attempted.result };
          // What is gone already is not kept by a newer removal: nothing is left to supersede.
          if (head?.removed === true && Date.parse(time) <= Date.parse(head.exportedAt))
            return { result: removal('unchanged', 0) };
          if (isOlder(time, head)) return { result: removal('superseded', 0) };
          const isGone = head === undefined || head.removed;
          const result = removal(isGone ? 'unchanged' : 'applied', head?.itemCount ?? 0);
          const prepared = prepareTombstone(scope, tombstone(time, head?.generation ?? 0), layout);
          const done = await commit(scope, prepared, { state, operation });
          return roundOf(done, prepared, result);
        });
      });
    },
  };
}

const kinds = {
  operations: required(objectWith('run')),
  store: required(objectWith('read', 'commit', 'now')),
  layout: required(objectWith('headKey')),
  maxPartBytes: aPositiveNumber,
  maxDocumentBytes: aPositiveNumber,
  timeoutMs: aPositiveNumber,
};

type StateOfHead = Pick<DocumentState, 'head' | 'version'>;

interface DecisionOn {
  readonly state: StateOfHead;
  readonly decision: Decision;
}

interface CommitContext {
  readonly state: StateOfHead;
  /** Absent for a tombstone. */
  readonly snapshot?: InventorySnapshot;
  readonly operation: OperationScope;
}

/** A commit that lost its race, or seems to: where the head turns out to be its own, it did not. */
interface Attempted<R> {
  readonly prepared: PreparedCommit;
  readonly result: R;
}

type Round<R> = { readonly result: R } | { readonly attempted: Attempted<R> };

/** Round after round, as long as others are faster. `undefined` is a round in which the head changed while it was read. */
async function untilCommitted<R>(
  scope: Scope,
  operation: OperationScope,
  round: (attempted: Attempted<R> | undefined) => Promise<Round<R> | undefined>,
): Promise<R> {
  let attempted: Attempted<R> | undefined;
  for (let count = 1; count <= maxRounds; count += 1) {
    const ended = await round(attempted);
    if (ended !== undefined && 'result' in ended) return ended.result;
    attempted = ended?.attempted ?? attempted;
    operation.throwIfEnded();
    await delay(Math.random() * 5 * count, undefined, { signal: operation.signal });
  }
  throw new SinkError(
    'OVERLOADED',
    `The head of inventory ${formatScope(scope)} changed ${maxRounds} times while it was to be written: let fewer exporters write one inventory.`,
  );
}

function resultOf({ outcome, counts }: Decision, written?: PreparedCommit): ExportResult {
  const { messages, bytes } = written ?? { messages: 0, bytes: 0 };
  return { outcome, counts, messages, bytes };
}

function planOf({ outcome, counts, samples }: Decision): ExportPlan {
  return { outcome, counts, samples };
}

function removal(outcome: ExportResult['outcome'], deleted: number): ExportResult {
  return { outcome, counts: { ...noDifference.counts, deleted }, messages: 0, bytes: 0 };
}

function roundOf(done: CommitResult, prepared: PreparedCommit, result: ExportResult): Round<ExportResult> {
  if (done.outcome === 'conflict') return { attempted: { prepared, result } };
  return { result: done.reference === undefined ? result : { ...result, reference: done.reference } };
}
