import { formatPath } from '../contract/json/refusal.ts';
import { unprintablePart } from '../contract/errors/printable.ts';
import { holdsSecret } from '../contract/errors/secrets.ts';

/**
 * What no text of a spec may hold, keys included: control characters, which end fields and forge lines of protocols, and secrets, which
 * belong into the credentials. Called on validated data, whose depth the schema bounds.
 */
export function* textProblems(value: unknown, path: readonly (string | number)[]): Generator<string, void> {
  if (typeof value === 'string') yield* problemsOf(value, () => formatPath(path));
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (const [index, member] of value.entries()) yield* textProblems(member, [...path, index]);
    return;
  }
  for (const [key, member] of Object.entries(value)) {
    yield* problemsOf(key, () => `a key of ${formatPath(path)}`);
    yield* textProblems(member, [...path, key]);
  }
}

function problemsOf(text: string, subject: () => string): readonly string[] {
  const part = unprintablePart(text);
  return [
    ...(part === undefined ? [] : [`${subject()} holds ${part}: remove it`]),
    ...(holdsSecret(text)
      ? [`${subject()} holds what looks like a secret, and a spec holds none: put it into the credentials`]
      : []),
  ];
}
