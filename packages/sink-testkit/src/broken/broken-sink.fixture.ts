import type { KollectSink } from '@kollect/core';
import type { ConformanceDefinition } from '../conformance-definition.ts';
import { registerConformanceTests, type ConformanceOptions } from '../conformance.ts';
import type { ItemHarness } from '../harness.ts';
import { createTableSink, scopeKey, tableDefinition, type Table, type TableRules } from './table-sink.fixture.ts';

/** A sink with one fault, and the check that must find it. */
export interface BrokenSink {
  /** The fault, as the author of the sink would put it. */
  readonly what: string;
  /** Name of the check. */
  readonly fails: string;
  /** What the failure says, where it is no assertion of the check's own. */
  readonly says?: RegExp;
  /** Asked once for each sink, so that a rule may keep what one sink remembers. */
  readonly rules?: () => Partial<TableRules>;
  /** Asked once for each sink. */
  readonly wrap?: (sink: Required<KollectSink>, table: Table) => KollectSink;
  readonly brokenSink?: (sink: Required<KollectSink>) => KollectSink;
  readonly definition?: Partial<ConformanceDefinition>;
}

export const secretCanary = 'hunter2-canary';

/** The sink type `table` and a store of its own, with the fault in it. */
export function subjectOf({ rules, wrap, brokenSink, definition }: Partial<BrokenSink>): {
  definition: ConformanceDefinition;
  harness: ItemHarness;
} {
  const table: Table = { scopes: new Map(), tail: Promise.resolve() };
  const harness: ItemHarness = {
    holds: 'items',
    createSink: () => {
      const sink = createTableSink({ table, rules: rules?.() ?? {} });
      return wrap === undefined ? sink : wrap(sink, table);
    },
    brokenSink: () => {
      const sink = createTableSink({ table, reachable: false });
      return brokenSink === undefined ? sink : brokenSink(sink);
    },
    read: async (scope) => [...(table.scopes.get(scopeKey(scope))?.rows.values() ?? [])],
    secretCanary,
  };
  return { definition: { ...tableDefinition, ...definition }, harness };
}

/** The checks that the suite registers, by name. */
export function collectChecks(options: Omit<ConformanceOptions, 'test'>): Map<string, () => Promise<void>> {
  const checks = new Map<string, () => Promise<void>>();
  registerConformanceTests({
    ...options,
    test: (name, run) => {
      if (checks.has(name)) throw new Error(`Two checks have the name "${name}".`);
      checks.set(name, run);
    },
  });
  return checks;
}
