import type { DeliveryLogger } from '../../observability/logging.ts';
import type { SinkConnection } from '../../registry/sink-registry.ts';

export interface FollowedConnection {
  readonly name: string;
  readonly logger: DeliveryLogger;
  /** What the sink is made with. */
  readonly connection: SinkConnection | undefined;
  /** What the latest resource has. */
  readonly latest: () => SinkConnection | undefined;
}

/** The connection as the sink gets it: values as they are; functions are asked at every connect, and always those of the latest resource. */
export function followConnection({ name, logger, connection = {}, latest }: FollowedConnection): SinkConnection {
  const { credentials, tls } = connection;
  return {
    name,
    logger,
    ...connection,
    ...(typeof credentials === 'function' ? { credentials: () => ask(latest()?.credentials) } : {}),
    ...(typeof tls === 'function' ? { tls: () => ask(latest()?.tls) } : {}),
  };
}

function ask<T extends object>(source: T | (() => T | Promise<T>) | undefined): T | Promise<T> {
  if (typeof source === 'function') return source();
  // Where the latest resource gives nothing any more, the registry says so.
  return source as T;
}

/** Equal for connections that make equal sinks. Two functions count as equal: a secret that rotated behind one is told by `revision`. */
export function connectionIdentity({ name, credentials, tls }: SinkConnection = {}): unknown {
  return [name, ...[credentials, tls].map((source) => (typeof source === 'function' ? 'function' : source))];
}
