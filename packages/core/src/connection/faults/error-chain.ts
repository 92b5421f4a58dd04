import { readQuietly } from '../../contract/errors/thrown.ts';

/** An error as it was thrown, before anybody knows whose it is: properties that may be there, each of any type. */
export type ErrorFields = Readonly<Record<string, unknown>>;

const maxErrors = 100;

/** The error, then all that caused it (`cause`, `errors`), outermost first; cycles end, and so do getters that throw. */
export function errorChain(thrown: unknown): readonly unknown[] {
  const found = [thrown];
  for (let at = 0; at < found.length && found.length < maxErrors; at += 1) {
    for (const inner of causesOf(found[at])) {
      if (typeof inner === 'object' && inner !== null && !found.includes(inner)) found.push(inner);
    }
  }
  return found.slice(0, maxErrors);
}

/** The properties of what was thrown; none where it is no object. */
export function errorFields(thrown: unknown): ErrorFields {
  return typeof thrown === 'object' && thrown !== null ? (thrown as ErrorFields) : {};
}

function causesOf(thrown: unknown): readonly unknown[] {
  if (typeof thrown !== 'object' || thrown === null) return [];
  const errors = readQuietly(thrown, 'errors');
  const count = Math.min(Number(readQuietly(errors, 'length')) || 0, maxErrors);
  return [readQuietly(thrown, 'cause'), ...Array.from({ length: count }, (_, index) => readQuietly(errors, index))];
}
