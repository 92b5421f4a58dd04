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
import { abortChecks } from './checks/life/abort.ts';
import { attributeChecks } from './checks/content/attributes.ts';
import { changeChecks } from './checks/content/changes.ts';
import { concurrencyChecks } from './checks/order/concurrency.ts';
import { connectionChecks } from './checks/store/connection.ts';
import { contentChecks } from './checks/content/content.ts';
import { credentialChecks } from './checks/store/credentials.ts';
import { egressChecks } from './checks/store/egress.ts';
import { httpChecks } from './checks/store/http.ts';
import { networkChecks } from './checks/store/network.ts';
import { processChecks } from './checks/life/process.ts';
import { resultChecks } from './checks/content/results.ts';
import { writeChecks } from './checks/store/writes.ts';
import { definitionChecks } from './checks/life/definition.ts';
import { fenceChecks } from './checks/order/fence.ts';
import { incompleteChecks } from './checks/content/incomplete.ts';
import { keptInventoryChecks } from './checks/content/kept-inventory.ts';
import { lifecycleChecks } from './checks/life/lifecycle.ts';
import { planChecks } from './checks/order/plan.ts';
import { removalChecks } from './checks/order/removal.ts';
import { scopeChecks } from './checks/content/scope.ts';
import { secrecyChecks } from './checks/store/secrecy.ts';
import { claimOf, type ConformanceClaim } from './claims.ts';
import type { ConformanceDefinition } from './conformance-definition.ts';
import type { SinkHarness, TestFunction } from './harness.ts';
import { checkHarness } from './check-harness.ts';

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
  ...keptInventoryChecks,
  ...scopeChecks,
  ...fenceChecks,
  ...concurrencyChecks,
  ...abortChecks,
  ...planChecks,
  ...removalChecks,
  ...connectionChecks,
  ...lifecycleChecks,
  ...resultChecks,
  ...secrecyChecks,
  ...egressChecks,
  ...processChecks,
  ...credentialChecks,
  ...writeChecks,
  ...networkChecks,
  ...httpChecks,
];

const kinds: OptionKinds<ConformanceOptions> = {
  test: required(aFunction),
  definition: required(anObject),
  harness: required(anObject),
  timeoutMs: aPositiveNumber,
  patienceMs: aPositiveNumber,
};

/**
 * Registers one test for each promise that a sink of this type gives. Asserts with node:assert, so that any test runner will do. Returns every
 * promise there is, those included that nobody checks for want of a hook: they are registered too, as skipped.
 */
export function registerConformanceTests(options: ConformanceOptions): readonly ConformanceClaim[] {
  const of = 'The options of registerConformanceTests';
  const checked = checkOptions<ConformanceOptions>(options, kinds, { of });
  const { test, definition, harness, timeoutMs = 60_000, patienceMs = 15_000 } = checked;
  checkHarness(harness);
  return checks.map((check) => {
    const claim = claimOf(check, { definition, harness });
    if (claim.status === 'checked') test(check.name, () => runCheck(check, checked, patienceMs), timeoutMs);
    if (claim.status === 'not run') skip(test, claim);
    return claim;
  });
}

async function runCheck(
  { run }: Check,
  { definition, harness }: Pick<ConformanceOptions, 'definition' | 'harness'>,
  patienceMs: number,
): Promise<void> {
  await harness.reset?.();
  const { context, cleanUp, expectNothing } = createCheckContext({ definition, harness, patienceMs });
  try {
    await run(context);
  } catch (error) {
    // What the check found matters more than how its sinks close.
    await cleanUp(Math.min(500, patienceMs)).catch(() => undefined);
    throw error;
  }
  await cleanUp();
  expectNothing();
}

/** Where the runner has no tests that are skipped, one that passes, under the same name. */
function skip(test: TestFunction, { name, needs = [] }: ConformanceClaim): void {
  const told = `not run, for the harness gives no ${needs.join(' and no ')}: ${name}`;
  const nothing = async (): Promise<void> => undefined;
  if (test.skip === undefined) test(told, nothing);
  else test.skip(told, nothing);
}
