// For sink authors: what every sink must hold, as tests.
export { registerConformanceTests, type ConformanceOptions } from './conformance.ts';
export type { ConformanceDefinition } from './conformance-definition.ts';
export type { CreateSinkOptions, DocumentHarness, ItemHarness, SinkHarness, TestFunction } from './harness.ts';

// For tests and benchmarks: inventories that look real, made from a seed.
export { makeItems, type MakeItemsOptions } from './generators/make-items.ts';
export { makeSnapshot, type MakeSnapshotOptions } from './generators/make-snapshot.ts';
export { evolve, type EvolveOptions } from './generators/evolve.ts';
