// For sink authors: what every sink must hold, as tests.
export { registerConformanceTests, type ConformanceOptions } from './conformance.ts';
export type { ConformanceClaim } from './claims.ts';
export type { ConformanceDefinition } from './conformance-definition.ts';
export type { CreateSinkOptions } from './create-sink-options.ts';
export type { DocumentHarness, ItemHarness, SinkHarness, TestFunction } from './harness.ts';
export type { Need } from './check-harness.ts';
export type { ConformanceHooks, ServerHook, Undo } from './hooks.ts';

// For tests of a sink's own: proxies that disturb what passes through them.
export {
  startFaultProxy,
  type ByteTrigger,
  type FaultProxy,
  type FaultProxyOptions,
  type Side,
} from './faults/fault-proxy.ts';
export type { Direction } from './faults/fault-link.ts';
export {
  startHttpFaultProxy,
  type AnswerRule,
  type HttpAnswer,
  type HttpFaultProxy,
  type HttpFaultProxyOptions,
  type HttpRequest,
} from './faults/http-fault-proxy.ts';

// For tests and benchmarks: inventories that look real, made from a seed.
export { makeItems, type MakeItemsOptions } from './generators/make-items.ts';
export { makeSnapshot, type MakeSnapshotOptions } from './generators/make-snapshot.ts';
export { evolve, type EvolveOptions } from './generators/evolve.ts';
