import { createEgressPolicy } from './connection/egress-policy.ts';
import { anObject, checkOptions, listOf, objectWith } from './contract/errors/check-options.ts';
import type { Egress } from './contract/egress.ts';
import type { SinkDefinition } from './registry/define-sink.ts';
import type { HostIdentityGrant } from './registry/host-identity.ts';
import { buildSinkRegistry, type SinkRegistry } from './registry/sink-registry.ts';

const anEgress = objectWith('dial', 'socket', 'lookup', 'check');

export interface SinkRegistryOptions {
  /** Whom the sinks may call. Default `createEgressPolicy()`: everything except cloud metadata, link-local and other addresses that hold no store. */
  readonly egress?: Egress;
  /** What of the host's own some sinks may use: cloud credentials, instance metadata, proxies, configuration of clients. Default: nothing, to nobody. */
  readonly hostIdentity?: readonly HostIdentityGrant[];
}

/** The sink types of one host, from which the compiler infers every config. Throws CONTRACT_VIOLATION for a type given twice. */
export function createSinkRegistry<const Definitions extends readonly SinkDefinition[]>(
  definitions: Definitions,
  options?: SinkRegistryOptions,
): SinkRegistry<Definitions> {
  const of = 'The options of createSinkRegistry';
  const kinds = { egress: anEgress, hostIdentity: listOf(anObject) };
  const { egress = createEgressPolicy(), hostIdentity } = checkOptions<SinkRegistryOptions>(options, kinds, { of });
  return buildSinkRegistry(definitions, { egress, hostIdentity });
}
