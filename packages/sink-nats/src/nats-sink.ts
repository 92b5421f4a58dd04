import {
  defineSink,
  formatScope,
  refuseFutureTime,
  type ExportOutcome,
  type ExportResult,
  type InventorySnapshot,
  type ItemCounts,
  type KollectSink,
  type OperationOptions,
  type SinkContext,
  type SinkOperation,
} from '@kollect/core';
import {
  createHeldClient,
  createOperations,
  createPublishedTimes,
  showText,
  type HeldClient,
  type OperationScope,
} from '@kollect/core/authoring';
import { holds, isOlder, type Head } from './jetstream/head.ts';
import { createStreamStates } from './jetstream/stream-state.ts';
import { clientConfig, createNatsClient, type NatsClient } from './nats-client.ts';
import { natsError } from './nats-errors.ts';
import { resolveNatsSpec, type ResolvedNatsSpec } from './nats-spec.ts';
import { natsCredentialFields, natsSpecSchema } from './nats-spec-schema.ts';
import { testConnection } from './nats-test-connection.ts';
import { removalPublication, snapshotPublication } from './publishing/messages.ts';
import { createPublisher, type Intent } from './publishing/publisher.ts';
import { formatSubject } from './publishing/subject.ts';
import { endsConnection } from './wire/failure.ts';

export type NatsContext = SinkContext<ResolvedNatsSpec>;

/** The sink type `nats`: every export is a message, or an atomic batch of them, behind a fence that the stream itself keeps. */
export const natsSink = defineSink({
  type: 'nats',
  contractVersion: 1,
  role: 'event-emitter',
  capabilities: { fenced: true, plan: true, removeInventory: true },
  credentialFields: natsCredentialFields,
  spanAttributes: { 'messaging.system': 'nats', 'messaging.operation.type': 'send' },
  specSchema: natsSpecSchema,
  resolveSpec: resolveNatsSpec,
  create: createSink,
});

function createSink(context: NatsContext): KollectSink {
  const { spec } = context;
  const operations = createOperations({ sinkType: 'nats', name: context.name, classify: natsError });
  const clients: HeldClient<NatsClient> = createHeldClient({
    sinkType: 'nats',
    server: 'NATS',
    // One that is lost while nobody uses it is nobody's error.
    make: () => createNatsClient({ ...clientConfig(context), onLost: () => clients.replace() }),
    connect: (client) => client.connect(),
    destroy: (client) => client.destroy(),
    isFatal: endsConnection,
  });
  const streams = createStreamStates(spec, clients);
  const publisher = createPublisher({ spec, clients, streams });
  // What an export found unchanged is nowhere in the stream: of this process alone it is known.
  const seen = createPublishedTimes();
  const where = `stream ${showText(spec.stream)}`;
  const limits = { timeoutMs: spec.deliveryTimeoutMs, timeoutField: 'spec.nats.deliveryTimeout' };
  const run = <T>(
    operation: SinkOperation,
    doing: string,
    { signal }: OperationOptions,
    work: (scope: OperationScope) => Promise<T>,
  ): Promise<T> => operations.run({ operation, doing, signal, ...limits }, work);

  const decideOn =
    (snapshot: InventorySnapshot): Intent['decide'] =>
    (head) => {
      if (isOlder(snapshot.exportedAt, head) || seen.isOlder(snapshot, snapshot.exportedAt)) return 'superseded';
      return holds(head, snapshot) ? 'unchanged' : { write: 'applied' };
    };

  return {
    open: (options) =>
      run('open', `looking at ${where}`, options, async (scope) => {
        streams.forget();
        await streams.known(scope);
      }),
    export: (snapshot, options) =>
      run('export', `exporting inventory ${formatScope(snapshot)} to ${where}`, options, async (scope) => {
        refuseFutureTime('exportedAt', snapshot.exportedAt, new Date());
        const { outcome, ...sent } = await publisher.publish(scope, {
          inventory: snapshot,
          subject: formatSubject(snapshot, spec.subjectPrefix),
          decide: decideOn(snapshot),
          publication: ({ maxMessageBytes }) => snapshotPublication(snapshot, spec, maxMessageBytes),
        });
        if (outcome !== 'superseded') seen.record(snapshot, snapshot.exportedAt, 'snapshot');
        return { outcome, counts: countsOf(outcome, snapshot), ...sent };
      }),
    plan: (snapshot, options) =>
      run('plan', `planning an export of inventory ${formatScope(snapshot)}`, options, async (scope) => {
        refuseFutureTime('exportedAt', snapshot.exportedAt, new Date());
        await streams.known(scope);
        const decision = decideOn(snapshot)(await publisher.head(scope, formatSubject(snapshot, spec.subjectPrefix)));
        const outcome = typeof decision === 'string' ? decision : decision.write;
        const keys = snapshot.items.slice(0, 10).map(({ targetName, uid }) => ({ targetName, uid }));
        return {
          outcome,
          counts: countsOf(outcome, snapshot),
          samples: { inserted: outcome === 'applied' ? keys : [], updated: [], deleted: [] },
        };
      }),
    removeInventory: (inventory, options) =>
      run('remove-inventory', `removing inventory ${formatScope(inventory)} from ${where}`, options, async (scope) => {
        const { removedAt } = options;
        refuseFutureTime('removedAt', removedAt, new Date());
        const { outcome, ...sent } = await publisher.publish(scope, {
          inventory,
          subject: formatSubject(inventory, spec.subjectPrefix),
          decide: (head) => {
            // What is gone already is not kept by a newer removal: nothing is left to supersede.
            if (head.removed && Date.parse(removedAt) <= (head.time ?? 0)) return 'unchanged';
            if (isOlder(removedAt, head) || (!head.removed && seen.isOlder(inventory, removedAt))) return 'superseded';
            return { write: isGone(head) ? 'unchanged' : 'applied' };
          },
          publication: () => removalPublication(inventory, spec, removedAt),
        });
        if (outcome !== 'superseded') seen.record(inventory, removedAt, 'removal');
        return { outcome, counts: noCounts, ...sent };
      }),
    testConnection: ({ signal }) =>
      operations.run({ operation: 'test-connection', doing: `testing ${where}`, signal }, (scope) =>
        testConnection({ scope, context }),
      ),
    close: () => operations.close(() => clients.close()),
  };
}

const noCounts: ItemCounts = { inserted: 0, updated: 0, deleted: 0, unchanged: 0 };

function isGone({ sequence, removed }: Head): boolean {
  return sequence === 0 || removed;
}

function countsOf(outcome: ExportOutcome, { items }: InventorySnapshot): ExportResult['counts'] {
  if (outcome === 'applied') return { ...noCounts, inserted: items.length };
  return outcome === 'unchanged' ? { ...noCounts, unchanged: items.length } : noCounts;
}
