import type { Check, Subject } from './check.ts';
import { given, type Need } from './check-harness.ts';

/** One promise of the suite, and what became of it for a sink type. */
export interface ConformanceClaim {
  /** The promise, which is also the name of its test. */
  readonly name: string;
  /**
   * `checked`: a test is registered. `not run`: the harness lacks what the check needs, and it is registered as skipped. `not claimed`: the sink
   * type does not give the promise. `does not apply`: the harness says, by `false`, that there is nothing of the kind.
   */
  readonly status: 'checked' | 'not run' | 'not claimed' | 'does not apply';
  /** With `not run`: what the harness would have to give. */
  readonly needs?: readonly Need[];
}

export function claimOf({ name, applies, needs = [] }: Check, subject: Subject): ConformanceClaim {
  if (applies !== undefined && !applies(subject)) return { name, status: 'not claimed' };
  const lacking = needs.filter((need) => given(subject.harness, need) === undefined);
  if (needs.some((need) => given(subject.harness, need) === false)) return { name, status: 'does not apply' };
  return lacking.length > 0 ? { name, status: 'not run', needs: lacking } : { name, status: 'checked' };
}
