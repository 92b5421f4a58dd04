/** What may hold `metadata.managedFields`. */
interface WithMetadata {
  readonly metadata?: object | undefined;
}

export interface Cleaned<T> {
  /** The object itself where it has no managedFields, else a shallow copy. */
  readonly object: T;
  /** Gives the value, or the clean counterpart of it: a function may return what it closed over and not what it was given. */
  readonly counterparts: () => (value: unknown) => unknown;
}

/** The object without `metadata.managedFields`, which nobody collects. */
export function withoutManagedFields<T extends WithMetadata>(object: T): Cleaned<T> {
  const original: object = object.metadata ?? {};
  if (!('managedFields' in original)) return { object, counterparts: () => (value) => value };
  const { managedFields, ...metadata } = original;
  const clean = { ...object, metadata };
  return {
    object: clean,
    counterparts() {
      const known = new Map<unknown, unknown>([
        [object, clean],
        [original, metadata],
        [managedFields, undefined],
      ]);
      return (value) => (known.has(value) ? known.get(value) : value);
    },
  };
}
