import {
  aFunction,
  anObject,
  checkOptions,
  either,
  required,
  type OptionKind,
  type OptionKinds,
} from '@kollect/core/authoring';
import type { SinkHarness } from './harness.ts';
import type { ConformanceHooks, ServerHook } from './hooks.ts';

/** Something optional of the harness that a check cannot do without. */
export type Need = 'brokenSink' | 'secretCanary' | `hooks.${keyof ConformanceHooks}`;

/** True where the harness gives it, false where it says that there is nothing of the kind, undefined where it says nothing. */
export function given(harness: SinkHarness, need: Need): boolean | undefined {
  const { hooks = {} } = harness;
  // What dials nobody cannot dial in vain, nor meet a certificate.
  const dialsNobody = hooks.server === false && (need === 'brokenSink' || need === 'hooks.untrustedSink');
  const value = need.startsWith('hooks.')
    ? hooks[need.slice('hooks.'.length) as keyof ConformanceHooks]
    : harness[need as 'brokenSink' | 'secretCanary'];
  if (value === undefined) return dialsNobody ? false : undefined;
  return value !== false;
}

/** A kind, or `false`. */
const orFalse = (kind: OptionKind): OptionKind =>
  either(kind, { expected: 'false', accepts: (value) => value === false });

/** One of two words. */
const eitherWord = (one: string, other: string): OptionKind => ({
  expected: `"${one}" or "${other}"`,
  accepts: (value) => value === one || value === other,
});

const harnessKinds: OptionKinds<SinkHarness> = {
  holds: required(eitherWord('items', 'documents')),
  createSink: required(aFunction),
  read: required(aFunction),
  brokenSink: orFalse(aFunction),
  secretCanary: orFalse({ expected: 'a text of 8 characters or more', accepts: isLongText }),
  reset: aFunction,
  hooks: anObject,
};

const hookKinds: OptionKinds<ConformanceHooks> = {
  server: orFalse(anObject),
  untrustedSink: orFalse(aFunction),
  denyWrites: orFalse(aFunction),
  breakWrites: orFalse(aFunction),
  rotateCredentials: orFalse(aFunction),
  leftovers: orFalse(aFunction),
};

const serverKinds: OptionKinds<ServerHook> = {
  address: required(aFunction),
  protocol: required(eitherWord('http', 'tcp')),
};

/** Throws SPEC_INVALID for a member that the suite does not know, with the nearest name, and for one of another kind. */
export function checkHarness(harness: SinkHarness): void {
  checkOptions<SinkHarness>(harness, harnessKinds, { of: 'The harness' });
  const { hooks } = harness;
  if (hooks === undefined) return;
  checkOptions<ConformanceHooks>(hooks, hookKinds, { of: 'The hooks of the harness' });
  if (hooks.server === undefined || hooks.server === false) return;
  checkOptions<ServerHook>(hooks.server, serverKinds, { of: 'The hook server of the harness' });
}

/** What is shorter is found everywhere. */
function isLongText(value: unknown): boolean {
  return typeof value === 'string' && value.length >= 8;
}
