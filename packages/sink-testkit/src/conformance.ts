import {
  aFunction,
  anObject,
  aPositiveNumber,
  checkOptions,
  required,
  type OptionKinds,
} from '@kollect/core/authoring';
import { createCheckContext } from './check-context.ts';
import type { Check } from './check.ts';
import { abortChecks } from './checks/abort.ts';
import { attributeChecks } from './checks/attributes.ts';
import { changeChecks } from './checks/changes.ts';
import { concurrencyChecks } from './checks/concurrency.ts';
import { connectionChecks } from './checks/connection.ts';
import { contentChecks } from './checks/content.ts';
import { definitionChecks } from './checks/definition.ts';
import { fenceChecks } from './checks/fence.ts';
import { incompleteChecks } from './checks/incomplete.ts';
import { lifecycleChecks } from './checks/lifecycle.ts';
import { planChecks } from './checks/plan.ts';
import { removalChecks } from './checks/removal.ts';
import { scopeChecks } from './checks/scope.ts';
import { secrecyChecks } from './checks/secrecy.ts';
import type { ConformanceDefinition } from './conformance-definition.ts';
import type { SinkHarness, TestFunction } from './harness.ts';

export interface ConformanceOptions {
  /** The host's function that registers a test. */
  readonly test: TestFunction;
  /** The sink type; its capabilities decide which checks are registered. Spread it to correct a capability that a spec takes away. */
  readonly definition: ConformanceDefinition;
  readonly harness: SinkHarness;
  /** How long one check may take, in milliseconds. Default 60 000. */
  readonly timeoutMs?: number;
  /** How long a promise that must settle may take, in milliseconds. Default 15 000. */
  readonly patienceMs?: number;
}

const checks: readonly Check[] = [
  ...definitionChecks,
  ...contentChecks,
  ...attributeChecks,
  ...changeChecks,
  ...incompleteChecks,
  ...scopeChecks,
  ...fenceChecks,
  ...concurrencyChecks,
  ...abortChecks,
  ...planChecks,
  ...removalChecks,
  ...connectionChecks,
  ...lifecycleChecks,
  ...secrecyChecks,
];

const kinds: OptionKinds<ConformanceOptions> = {
  test: required(aFunction),
  definition: required(anObject),
  harness: required(anObject),
  timeoutMs: aPositiveNumber,
  patienceMs: aPositiveNumber,
};

/** Registers one test for each promise that a sink of this type gives. Asserts with node:assert, so that any test runner will do. */
export function registerConformanceTests(options: ConformanceOptions): void {
  const of = 'The options of registerConformanceTests';
  const checked = checkOptions<ConformanceOptions>(options, kinds, { of });
  const { test, definition, harness, timeoutMs = 60_000, patienceMs = 15_000 } = checked;
  for (const { name, applies, run } of checks) {
    if (applies !== undefined && !applies({ definition, harness })) continue;
    test(
      name,
      async () => {
        await harness.reset?.();
        const { context, finish } = createCheckContext({ definition, harness, patienceMs });
        try {
          await run(context);
        } finally {
          await finish();
        }
      },
      timeoutMs,
    );
  }
}
