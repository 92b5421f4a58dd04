import type { SecretRef, SecretSink } from './secret-types.ts';

/** Which sinks name which Secrets and ConfigMaps. */
export interface SecretIndex {
  /** The sink names these, and no others. */
  set(sink: string, refs: readonly SecretRef[]): void;
  delete(sink: string): void;
  sinksOf(ref: SecretRef): readonly string[];
  refs(): readonly SecretRef[];
  has(ref: SecretRef): boolean;
}

export const refKey = ({ kind, namespace, name }: SecretRef): string => `${kind} ${namespace}/${name}`;
export const sinkKey = ({ namespace, name }: Pick<SecretSink, 'namespace' | 'name'>): string => `${namespace}/${name}`;

/** `onUnused` is told of what no sink names any more. */
export function createSecretIndex(onUnused: (ref: SecretRef) => void): SecretIndex {
  const bySink = new Map<string, readonly SecretRef[]>();
  const byRef = new Map<string, { readonly ref: SecretRef; readonly sinks: Set<string> }>();

  const set = (sink: string, refs: readonly SecretRef[]): void => {
    const before = bySink.get(sink) ?? [];
    if (refs.length === 0) bySink.delete(sink);
    else bySink.set(sink, refs);
    for (const ref of refs) {
      const entry = byRef.get(refKey(ref)) ?? { ref, sinks: new Set() };
      entry.sinks.add(sink);
      byRef.set(refKey(ref), entry);
    }
    for (const ref of before) {
      const entry = byRef.get(refKey(ref));
      if (entry === undefined || refs.some((one) => refKey(one) === refKey(ref))) continue;
      entry.sinks.delete(sink);
      if (entry.sinks.size > 0) continue;
      byRef.delete(refKey(ref));
      onUnused(ref);
    }
  };

  return {
    set,
    delete: (sink) => set(sink, []),
    sinksOf: (ref) => [...(byRef.get(refKey(ref))?.sinks ?? [])],
    refs: () => [...byRef.values()].map(({ ref }) => ref),
    has: (ref) => byRef.has(refKey(ref)),
  };
}
