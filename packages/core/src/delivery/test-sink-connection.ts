import type { DeliveryLogger } from '../contract/logger.ts';
import type { ConnectionReport } from '../contract/sink.ts';
import type { SinkRegistry } from '../registry/sink-registry.ts';
import { containSink } from './sink/contained-sink.ts';
import type { DeliveryClock } from './delivery-clock.ts';
import { resolveSinkDelivery } from './delivery-options.ts';
import type { SinkResource } from './exporter-types.ts';
import { attemptLimit, withinLimit } from './stations/attempt.ts';

export interface TestSinkConnectionOptions {
  readonly registry: SinkRegistry;
  readonly clock: DeliveryClock;
  readonly signal: AbortSignal;
  readonly logger: DeliveryLogger;
}

/** Tries the connection with a sink made for it, and closes that whatever happens. */
export async function testSinkConnection(
  resource: SinkResource,
  { registry, clock, signal, logger }: TestSinkConnectionOptions,
): Promise<ConnectionReport> {
  const { name, config, connection } = resource;
  const { attemptTimeoutMs, abortGraceMs, closeTimeoutMs } = resolveSinkDelivery(resource.delivery, name);
  const made = registry.create(config, { name, logger, ...connection });
  const sink = containSink({ sink: made, sinkType: config.type, clock, abortGraceMs, closeTimeoutMs });
  try {
    return await withinLimit(signal, attemptLimit({ timeoutMs: attemptTimeoutMs, clock }), (limited) =>
      sink.testConnection({ signal: limited }),
    );
  } finally {
    // The report stands, whether or not the sink closes as it should.
    await sink.close().catch(() => undefined);
  }
}
