import type { FakeCall, FakeCallMatch, FakeFault } from './fake-api-types.ts';

export interface FakeFaults {
  /** The fault that the call meets, the newest first; counts it. */
  meet(call: FakeCall): FakeFault | undefined;
  fail(fault: FakeFault, match?: FakeCallMatch & { readonly times?: number }): () => void;
  heal(): void;
}

export function createFakeFaults(): FakeFaults {
  const faults = new Set<{ readonly fault: FakeFault; readonly match: FakeCallMatch; left: number }>();
  return {
    meet: (call) => {
      const met = [...faults].reverse().find(({ match }) => matchesCall(call, match));
      if (met === undefined) return undefined;
      met.left -= 1;
      if (met.left <= 0) faults.delete(met);
      return met.fault;
    },
    fail: (fault, { times = Number.POSITIVE_INFINITY, ...match } = {}) => {
      const entry = { fault, match, left: times };
      faults.add(entry);
      return () => void faults.delete(entry);
    },
    heal: () => faults.clear(),
  };
}

export function matchesCall(call: FakeCall, { verb, ...match }: FakeCallMatch = {}): boolean {
  const verbs = typeof verb === 'string' ? [verb] : verb;
  if (verbs?.includes(call.verb) === false) return false;
  return Object.entries(match).every(([field, value]) => call[field as keyof FakeCall] === value);
}
