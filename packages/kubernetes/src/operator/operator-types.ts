import type {
  DeliveryClock,
  DeliveryLogger,
  DeliveryMetrics,
  DeliveryTracer,
  Egress,
  ExporterLimits,
  HostIdentityGrant,
  SinkDefinition,
  TenantEgressOptions,
} from '@kollect/core';
import type { KubernetesApi } from '../api/kubernetes-api.ts';
import type { LeaderElection } from '../leader/leader-election.ts';
import type { CollectInventory } from './inventories/collect-by-host.ts';

export interface OperatorOptions {
  readonly api: KubernetesApi;
  /** The sink types that resources may name. */
  readonly sinks: readonly SinkDefinition[];
  /** Name of the cluster in every row and message; needed where several clusters write into one store. */
  readonly cluster?: string;
  /** One of several processes works, the others wait. Default: this one works alone. */
  readonly leader?: LeaderElection;
  /** How often everything is exported again, whether or not it changed. Default `10m`. */
  readonly resync?: string;
  /**
   * Whom the sinks may call: a policy, or options of `tenantEgress`. Default `tenantEgress()`. The API server is denied beside it, unless a
   * policy of the host's own is given.
   */
  readonly egress?: Egress | TenantEgressOptions;
  readonly hostIdentity?: readonly HostIdentityGrant[];
  /** Whether a KollectTarget may select objects of other namespaces than its own. Default `deny`. */
  readonly otherNamespaces?: 'deny' | 'allow';
  /** How often the Secrets and ConfigMaps that sinks name are looked at. Default `1m`. */
  readonly secretRefresh?: string;
  /** How long `run` goes on to deliver after its signal aborted. Default `20s`. */
  readonly closeDeadline?: string;
  readonly metrics?: DeliveryMetrics;
  readonly tracer?: DeliveryTracer;
  readonly logger?: DeliveryLogger;
  readonly limits?: ExporterLimits;
  /** Default Node's timers. */
  readonly clock?: DeliveryClock;
}

export interface OperatorHealth {
  /** False once it has ended, or an internal error ended it: the process should be started again. */
  readonly live: boolean;
  /** The API server answers: it leads and knows its resources, or it waits for the lease. */
  readonly ready: boolean;
  readonly leading: boolean;
}

/** Delivers what KollectInventory resources ask for to what KollectSink resources describe. */
export interface Operator {
  /**
   * Says what belongs to each inventory, instead of KollectTarget resources. Before `run`; throws CONTRACT_VIOLATION afterwards, and for a
   * second function.
   */
  inventories(collect: CollectInventory): void;
  /** Works until the signal aborts or `close` is called, delivers what is owed, and resolves. May be called once. */
  run(options?: { readonly signal?: AbortSignal }): Promise<void>;
  readonly health: OperatorHealth;
  /** Ends `run`, and resolves with it. May be called twice. */
  close(): Promise<void>;
}
