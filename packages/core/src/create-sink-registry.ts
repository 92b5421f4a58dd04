import { createEgressPolicy } from './connection/egress-policy.ts';
import type { Egress } from './contract/egress.ts';
import type { SinkDefinition } from './registry/define-sink.ts';
import { buildSinkRegistry, type SinkRegistry } from './registry/sink-registry.ts';

export interface SinkRegistryOptions {
  /** Whom the sinks may call. Default `createEgressPolicy()`: everything except cloud metadata, link-local and other addresses that hold no store. */
  readonly egress?: Egress;
}

/** The sink types of one host, from which the compiler infers every config. Throws CONTRACT_VIOLATION for a type given twice. */
export function createSinkRegistry<const Definitions extends readonly SinkDefinition[]>(
  definitions: Definitions,
  { egress = createEgressPolicy() }: SinkRegistryOptions = {},
): SinkRegistry<Definitions> {
  return buildSinkRegistry(definitions, { egress });
}
