import { defineSink, type KollectSink, type SinkContext } from '@kollect/core';
import {
  createEventSink,
  createHeldClient,
  createOperations,
  natsBinding,
  showText,
  type HeldClient,
} from '@kollect/core/authoring';
import { createStreamStates } from './jetstream/stream-state.ts';
import { clientConfig, createNatsClient, type NatsClient } from './nats-client.ts';
import { natsError } from './nats-errors.ts';
import { resolveNatsSpec, type ResolvedNatsSpec } from './nats-spec.ts';
import { natsCredentialFields, natsSpecSchema } from './nats-spec-schema.ts';
import { testConnection } from './nats-test-connection.ts';
import { createStreamChannel } from './publishing/stream-channel.ts';
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
  const where = `stream ${showText(spec.stream)}`;
  const limits = { timeoutMs: spec.deliveryTimeoutMs, timeoutField: 'spec.nats.deliveryTimeout' };
  return {
    open: ({ signal }) =>
      operations.run({ operation: 'open', doing: `looking at ${where}`, signal, ...limits }, async (scope) => {
        streams.forget();
        await streams.known(scope);
      }),
    ...createEventSink({
      operations,
      channel: createStreamChannel({ spec, clients, streams }),
      message: { binding: natsBinding, format: spec.format, headers: spec.headers, sinkType: 'nats' },
      where,
      ...limits,
    }),
    testConnection: ({ signal }) =>
      operations.run({ operation: 'test-connection', doing: `testing ${where}`, signal }, (scope) =>
        testConnection({ scope, context }),
      ),
    close: () => operations.close(() => clients.close()),
  };
}
