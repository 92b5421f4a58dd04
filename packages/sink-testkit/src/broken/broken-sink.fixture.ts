import type { KollectSink, SinkErrorCode } from '@kollect/core';
import type { Subject } from '../check.ts';
import type { ConformanceDefinition } from '../conformance-definition.ts';
import { registerConformanceTests, type ConformanceOptions } from '../conformance.ts';
import type { ItemHarness } from '../harness.ts';
import type { Undo } from '../hooks.ts';
import {
  createTable,
  createTableSink,
  scopeKey,
  tableDefinition,
  type Table,
  type TableRules,
} from './table-sink.fixture.ts';

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
  /** Another sink than the one of tables, with the fault in it. */
  readonly subject?: () => Subject;
}

export const secretCanary = 'hunter2-canary';

/** The sink and its store, with the fault in it. */
export function brokenSubject(broken: BrokenSink): Subject {
  return broken.subject?.() ?? subjectOf(broken);
}

/** The sink type `table` and a store of its own, with the fault in it. */
export function subjectOf({ rules, wrap, brokenSink, definition }: Partial<BrokenSink>): {
  definition: ConformanceDefinition;
  harness: ItemHarness;
} {
  const table = createTable();
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
    hooks: {
      server: false,
      rotateCredentials: false,
      denyWrites: async () => failingWith(table, 'PERMISSION_DENIED'),
      breakWrites: async () => failingWith(table, 'OVERLOADED'),
      leftovers: async () => [...table.drafts],
    },
  };
  return { definition: { ...tableDefinition, ...definition }, harness };
}

function failingWith(table: Table, failure: SinkErrorCode): Undo {
  table.failure = failure;
  return async () => {
    table.failure = undefined;
  };
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
