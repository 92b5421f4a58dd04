// The API server, as a port.
export { ApiError, type ApiErrorOptions, type ApiErrorReason } from './api/api-error.ts';
export type {
  ApiObject,
  CallOptions,
  DeleteOptions,
  KubernetesApi,
  ListOptions,
  ListPage,
  ObjectMeta,
  ObjectName,
  OwnerReference,
  PatchOptions,
  ResourceType,
  Selection,
  WatchEvent,
  WatchOptions,
} from './api/kubernetes-api.ts';
export { clientNode, type ClientNodeOptions } from './api/client-node/client-node.ts';
export type { KubeConfigSource } from './api/client-node/kube-config.ts';

// The objects of the API server, kept up to date.
export { createResourceWatch } from './watch/resource-watch.ts';
export type {
  IncompleteReason,
  ResourceWatch,
  ResourceWatchOptions,
  WatchApi,
  WatchChange,
  WatchedObject,
  WatchState,
} from './watch/watch-types.ts';

// The resources of kollect.dev/v1alpha1.
export {
  apiVersion,
  connectionTestType,
  inventoryType,
  kollectTypes,
  profileType,
  sinkType,
  targetType,
} from './resources/resource-types.ts';
export type { ResourceHead } from './resources/resource-head.ts';
export { parseSink, type ParsedSink, type SinkResourceSpec } from './resources/parse-sink.ts';
export {
  parseConnectionTest,
  parseInventory,
  parseProfile,
  parseTarget,
  type ConnectionTestSpec,
  type InventorySpec,
  type Parsed,
  type ParsedConnectionTest,
  type ParsedInventory,
  type ParsedProfile,
  type ParsedTarget,
  type ProfileSpec,
  type TargetSpec,
} from './resources/parse-resources.ts';

// CRDs.
export { formatCrds } from './crds/format-crds.ts';
export { generateCrds, type CustomResourceDefinition } from './crds/generate-crds.ts';

// Credentials and certificates of sinks, from Secrets and ConfigMaps.
export { createSecretResolver } from './secrets/secret-resolver.ts';
export { apiSecretReader } from './secrets/api-secret-reader.ts';
export type {
  ConfigMapObject,
  ResolvedSecrets,
  SecretObject,
  SecretReader,
  SecretRef,
  SecretResolver,
  SecretResolverOptions,
  SecretSink,
} from './secrets/secret-types.ts';

// Admission: what is refused before it is stored.
export {
  createAdmissionHandler,
  type AdmissionHandler,
  type AdmissionHandlerOptions,
} from './admission/admission-handler.ts';
export type { AdmissionAnswer, AdmissionResponse, RefusalStatus } from './admission/admission-review.ts';
export {
  generateAdmissionPolicy,
  type AdmissionObject,
  type AdmissionPolicy,
  type AdmissionPolicyOptions,
} from './admission/generate-policy.ts';
export {
  generateWebhookConfiguration,
  type WebhookConfigurationOptions,
  type WebhookService,
} from './admission/generate-webhook.ts';

// One of several processes leads.
export { leaderElection, type LeaderElection, type LeaderElectionOptions } from './leader/leader-election.ts';

// A complete operator.
export { createOperator } from './operator/operator.ts';
export type { Operator, OperatorHealth, OperatorOptions } from './operator/operator-types.ts';
export type {
  CollectContext,
  CollectedTarget,
  CollectInventory,
  WatchedObjects,
} from './operator/inventories/collect-by-host.ts';
export type { WatchedSelection } from './operator/watches/shared-watches.ts';
