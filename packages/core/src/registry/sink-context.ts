import type { Credentials, TlsMaterial } from '../contract/credentials.ts';
import type { Egress } from '../contract/egress.ts';
import type { DeliveryLogger } from '../contract/logger.ts';
import type { CredentialField } from '../contract/sink.ts';
import { showText } from '../contract/errors/show-value.ts';
import type { HostIdentity } from './host-identity.ts';
import { createSinkLogger } from './sink-logger.ts';
import { createMaterialReader } from './sink-material.ts';

export type { Credentials, TlsMaterial } from '../contract/credentials.ts';

/** All that a sink may know. */
export interface SinkContext<Spec> {
  /** Valid, complete and deeply frozen. */
  readonly spec: Spec;
  /** Name of the sink, for messages. */
  readonly name: string;
  /** Asks the host anew, so that a rotated secret arrives: call it at every connect. One trailing newline is cut from each field. Rejects with SPEC_INVALID, or CREDENTIALS_UNAVAILABLE where the host cannot say now. */
  credentials(): Promise<Credentials>;
  /** As `credentials`, for TLS; an empty field counts as absent. */
  tls(): Promise<TlsMaterial>;
  /** The only way out. */
  readonly egress: Egress;
  /** For the lines of a client library alone; a sink tells by what it returns and throws. Lines are bounded in length and number, and a call never throws. */
  readonly logger: DeliveryLogger;
  /** What of the host's own the sink may use; nothing unless the host allowed it. */
  readonly hostIdentity: HostIdentity;
}

/** What one sink is given beside its spec: values, or functions that are asked at every connect. */
export interface SinkConnection {
  /** For messages; default the type. */
  readonly name?: string;
  readonly credentials?: Credentials | (() => Credentials | Promise<Credentials>);
  readonly tls?: TlsMaterial | (() => TlsMaterial | Promise<TlsMaterial>);
  /** Where the sink's client library logs. Default: the exporter's logger; without an exporter nowhere. */
  readonly logger?: DeliveryLogger;
}

interface ContextInput<Spec> {
  readonly type: string;
  readonly spec: Spec;
  readonly connection: SinkConnection;
  readonly egress: Egress;
  readonly hostIdentity: HostIdentity;
  /** Absent: any field is taken. */
  readonly credentialFields?: readonly CredentialField[] | undefined;
}

/** The context of one sink. Asks nothing of the host until the sink does. */
export function createSinkContext<Spec>(input: ContextInput<Spec>): SinkContext<Spec> {
  const { type, spec, connection, egress, hostIdentity, credentialFields } = input;
  const name = connection.name ?? type;
  const material = createMaterialReader({ sink: name, type, credentialFields });
  return Object.freeze({
    spec,
    name,
    egress: egress.for?.(`sink ${showText(name)} (type "${type}")`) ?? egress,
    hostIdentity,
    logger: createSinkLogger({ logger: connection.logger, sink: name, sinkType: type }),
    credentials: () => material.credentials(connection.credentials),
    tls: () => material.tls(connection.tls),
  });
}
