// For operators: seal a snapshot, make sinks, read what they say.
export { sealSnapshot, type SealOptions, type SnapshotInput } from './contract/snapshot/seal-snapshot.ts';
export type {
  InventorySnapshot,
  Item,
  ItemIdentity,
  JsonValue,
  Scope,
  SealedItem,
} from './contract/snapshot/snapshot.ts';
export {
  createItemReader,
  itemFromObject,
  type AttributeSource,
  type ItemFromObjectOptions,
  type KubernetesObject,
} from './resources/item-from-object.ts';
export { createInventory } from './inventory/inventory.ts';
export type {
  Inventory,
  InventoryKey,
  InventoryOptions,
  InventorySealOptions,
  ReplaceOptions,
  ReplacementCounts,
} from './inventory/inventory-types.ts';
export type { TargetName } from './inventory/held-target.ts';
export { snapshotChanges, type SnapshotChanges } from './contract/snapshot/snapshot-changes.ts';
export { createSinkRegistry, type SinkRegistryOptions } from './create-sink-registry.ts';
export type { HostIdentity, HostIdentityGrant, HostIdentityPart } from './registry/host-identity.ts';
export {
  credentialsFromSecret,
  type CredentialsFromSecretOptions,
  type SecretMaterial,
  type SecretPreset,
} from './registry/credentials-from-secret.ts';
export type { SinkConfig, SinkConnection, SinkRegistry } from './registry/sink-registry.ts';
export { createExporter } from './delivery/exporter.ts';
export type {
  ExportCallOptions,
  Exporter,
  ExporterOptions,
  ExporterPressure,
  ExportInventory,
  InventoryDelivery,
  InventoryName,
  PlanReport,
  SinkPlanReport,
  SinkResource,
} from './delivery/exporter-types.ts';
export type {
  DeliveryReport,
  RemovalOutcome,
  RemovalReport,
  SinkDeliveryReport,
  SinkRemovalReport,
  SinkStatus,
} from './delivery/delivery-report.ts';
export {
  sinkDeliverySchema,
  type ExporterLimits,
  type PaceOptions,
  type SinkDeliveryOptions,
} from './delivery/delivery-options.ts';
export type { IsMaterialChange, SnapshotSummary } from './delivery/inventory/gate-decision.ts';
export type { DeliveryClock } from './delivery/delivery-clock.ts';
export type {
  BreakerState,
  DeliveryEnded,
  DeliveryMetrics,
  DeliveryOutcome,
  SinkBacklog,
} from './observability/metrics.ts';
export type { DeliverySpan, DeliveryTracer, SpanAttributes } from './observability/tracing.ts';
export type { DeliveryLogger, LogFields } from './observability/logging.ts';
export { createEgressPolicy, type EgressPolicyOptions } from './connection/egress-policy.ts';
export { tenantEgress, type TenantEgressOptions } from './connection/tenant-egress.ts';
export { memorySink, type MemorySinkDefinition, type MemorySinkOptions } from './memory-sink.ts';
export {
  SinkError,
  sinkErrorCodes,
  type SinkErrorCode,
  type SinkErrorOptions,
  type SinkErrorReason,
  type SinkOperation,
} from './contract/errors/errors.ts';
export type {
  ConnectionReport,
  ConnectionStep,
  ConnectionStepStatus,
  ExportOptions,
  ExportOutcome,
  ExportPlan,
  ExportResult,
  ItemCounts,
  ItemKey,
  KollectSink,
  OperationOptions,
  RemoveInventoryOptions,
} from './contract/sink.ts';

// For consumers of documents: an event's value, or a row of an append-only table.
export {
  joinParts,
  joinPartsInSlices,
  parseDocument,
  parseDocumentInSlices,
  snapshotFromDocument,
  type InventoryDocument,
} from './contract/document/read-document.ts';
export { mergeItems, type PartialItems } from './contract/snapshot/merge-items.ts';
export { formatMessageKey, parseMessageKey } from './authoring/events/message-key.ts';
export { readSnapshots, type ReadSnapshotsOptions } from './authoring/events/read-snapshots.ts';
export type {
  InventoryEvent,
  RemovedEvent,
  SkippedEvent,
  SkipReason,
  SnapshotEvent,
} from './authoring/events/read-events.ts';
export type { IncomingHeaders, IncomingMessage, MessagePosition } from './authoring/events/incoming-message.ts';

// For sink authors: define a type, write documents, dial out.
export {
  contractVersion,
  defineSink,
  type ContractVersion,
  type Credentials,
  type SinkContext,
  type SinkDefinition,
  type SinkDefinitionInput,
  type TlsMaterial,
} from './registry/define-sink.ts';
export { sinkJsonSchema, type SinkJsonSchema } from './registry/json-schema.ts';
export type { SpecInput, SpecOf, SpecSchema } from './registry/spec-schema.ts';
export type { CredentialField, SinkCapabilities, SinkRole } from './contract/sink.ts';
export {
  documentSchemaVersion,
  splitDocument,
  wholeDocument,
  type DocumentPart,
} from './contract/document/document.ts';
export { formatGvk } from './contract/snapshot/gvk.ts';
export { formatScope } from './contract/snapshot/scope.ts';
export { refuseFutureTime } from './contract/clock.ts';
export { parseDuration } from './registry/duration.ts';
export type { DialOptions, Egress } from './contract/egress.ts';
