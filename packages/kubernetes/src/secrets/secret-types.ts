import type { DeliveryClock, DeliveryLogger, SinkConnection, SinkDefinition } from '@kollect/core';
import type { CallOptions, ObjectName } from '../api/kubernetes-api.ts';
import type { SinkResourceSpec } from '../resources/parse-sink.ts';

type Values = Readonly<Record<string, string>>;

/** A Secret as the API gives it: its values in base64. */
export interface SecretObject {
  readonly metadata?: { readonly resourceVersion?: string | undefined } | undefined;
  readonly data?: Values | undefined;
}

/** A ConfigMap as the API gives it: text, and bytes in base64. */
export interface ConfigMapObject extends SecretObject {
  readonly binaryData?: Values | undefined;
}

/** Who reads Secrets and ConfigMaps; undefined where there is none of the name. Needs the permission to `get` them, and no other. */
export interface SecretReader {
  getSecret(of: Required<ObjectName>, options: CallOptions): Promise<SecretObject | undefined>;
  getConfigMap(of: Required<ObjectName>, options: CallOptions): Promise<ConfigMapObject | undefined>;
}

/** A sink and what it names; a parsed KollectSink is one. */
export interface SecretSink {
  readonly namespace: string;
  readonly name: string;
  readonly spec: Pick<SinkResourceSpec, 'type' | 'secretRef' | 'ca'>;
}

/** One Secret or ConfigMap. */
export interface SecretRef {
  readonly kind: 'Secret' | 'ConfigMap';
  readonly namespace: string;
  readonly name: string;
}

export interface SecretResolverOptions {
  /** Says of each type which credentials it reads. */
  readonly registry: { definition(type: string): Pick<SinkDefinition, 'type' | 'credentialFields'> };
  /** Told of sinks, as `namespace/name`, whose Secret or ConfigMap changed, came or went. What it throws is logged. */
  readonly onChange?: (sinks: readonly string[]) => void;
  /** How often every Secret and ConfigMap that a sink names is looked at. Default `1m`; `0s`: never, where `changed` is told of all. */
  readonly refresh?: string;
  readonly logger?: DeliveryLogger;
  /** Default Node's timers. */
  readonly clock?: DeliveryClock;
}

/** What an exporter takes for a sink. */
export interface ResolvedSecrets {
  /** Its functions read anew at each connect what is older than ten seconds. */
  readonly connection: Pick<SinkConnection, 'credentials' | 'tls'>;
  /** For `updateSink`: another one where credentials or certificates are others, and no secret itself. */
  readonly revision: string;
}

/** Credentials and certificates of sinks, from the Secrets and ConfigMaps of their own namespaces. */
export interface SecretResolver {
  /**
   * Reads what the sink names, and remembers that it does, in the place of what it named before. Rejects with SPEC_INVALID, naming Secret and key, or
   * CREDENTIALS_UNAVAILABLE, and then the sink is told of changes all the same.
   */
  resolve(sink: SecretSink, options: CallOptions): Promise<ResolvedSecrets>;
  /** The sinks that name it, as `namespace/name`: for whoever watches. It is read anew the next time. */
  changed(ref: SecretRef): readonly string[];
  /** The sink is gone. */
  forget(sink: Pick<SecretSink, 'namespace' | 'name'>): void;
  /** Ends every read, and forgets all. May be called twice. */
  close(): Promise<void>;
}
