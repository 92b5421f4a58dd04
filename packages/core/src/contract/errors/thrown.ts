/** What a value that was thrown calls itself, for a message: class name and code, never its text, which may hold secrets. Hostile values included. */
export function nameOfThrown(thrown: unknown): string {
  if (thrown === null || (typeof thrown !== 'object' && typeof thrown !== 'function'))
    return thrown === null ? 'null' : `a ${typeof thrown}`;
  const shown = [readWord(thrown, 'name'), readWord(thrown, 'code')].filter((word) => word !== undefined);
  return shown.length === 0 ? 'an object' : shown.join(' ');
}

function readWord(thrown: object, field: 'name' | 'code'): string | undefined {
  const value = readQuietly(thrown, field);
  return typeof value === 'string' && /^\w{1,60}$/u.test(value) ? value : undefined;
}

/** A property of a value that nobody vouches for: undefined where reading it throws. */
export function readQuietly(value: unknown, field: PropertyKey): unknown {
  try {
    return (Object(value) as Record<PropertyKey, unknown>)[field];
  } catch {
    return undefined;
  }
}

/** An own property that is data: undefined for getters, which are not called, and where asking throws. */
export function ownData(value: unknown, field: PropertyKey): unknown {
  try {
    return Object.getOwnPropertyDescriptor(Object(value) as object, field)?.value;
  } catch {
    return undefined;
  }
}
