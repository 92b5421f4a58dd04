import type { SinkCapabilities } from '../../contract/sink.ts';
import type { SpanAttributes } from '../../observability/tracing.ts';
import type { SinkConfig, SinkRegistry } from '../../registry/sink-registry.ts';
import { resolveSinkDelivery, type SinkDelivery } from '../delivery-options.ts';
import type { SinkResource } from '../exporter-types.ts';
import { connectionIdentity } from './sink-connection.ts';

/** One KollectSink resource, read. */
export interface SinkSettings {
  readonly config: SinkConfig;
  readonly type: string;
  readonly capabilities: Required<SinkCapabilities>;
  readonly spanAttributes: SpanAttributes | undefined;
  readonly delivery: SinkDelivery;
  /** Equal for resources that make equal sinks. */
  readonly identity: unknown;
}

/** Throws SPEC_INVALID naming the sink and the field. */
export function readSinkSettings(registry: SinkRegistry, resource: SinkResource): SinkSettings {
  const { name, revision, connection } = resource;
  const config = registry.parse(resource.config, name);
  const { type, capabilities, spanAttributes } = registry.definition(config.type);
  const delivery = resolveSinkDelivery(resource.delivery, name);
  const identity = [config, delivery, revision, connectionIdentity(connection)];
  return { config, type, capabilities, spanAttributes, delivery, identity };
}
