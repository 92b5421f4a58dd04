import type { SinkDefinition } from '@kollect/core';

/** What the suite needs of a sink type; any `SinkDefinition` has it. */
export type ConformanceDefinition = Pick<
  SinkDefinition,
  'type' | 'contractVersion' | 'role' | 'capabilities' | 'specSchema' | 'parseSpec'
>;
