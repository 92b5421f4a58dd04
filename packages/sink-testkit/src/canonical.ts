import type { Item } from '@kollect/core';

/** JSON with sorted keys: equal texts mean equal values, whatever realm or prototype the objects have. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined';
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`);
  return `{${members.join(',')}}`;
}

/** Each item's canonical text by its key. An empty group counts as none; two items under one key are an error of the store. */
export function canonicalItems(items: readonly Item[]): Map<string, string> {
  const texts = new Map<string, string>();
  for (const { targetNamespace, targetName, namespace, name, group, version, kind, uid, attributes } of items) {
    const key = `${targetName}/${uid}`;
    if (texts.has(key)) throw new Error(`The store holds two items under the key ${key}.`);
    const core = { targetNamespace, targetName, namespace, name, version, kind, uid, attributes };
    texts.set(key, canonical(group === undefined || group === '' ? core : { ...core, group }));
  }
  return texts;
}

/** What tells the two lists apart, for a person; undefined where they hold the same items. */
export function describeDifference(held: readonly Item[], expected: readonly Item[]): string | undefined {
  const heldTexts = canonicalItems(held);
  const expectedTexts = canonicalItems(expected);
  const missing = [...expectedTexts.keys()].filter((key) => !heldTexts.has(key));
  const foreign = [...heldTexts.keys()].filter((key) => !expectedTexts.has(key));
  const other = [...expectedTexts]
    .filter(([key, text]) => heldTexts.has(key) && heldTexts.get(key) !== text)
    .map(([key]) => key);
  if (missing.length + foreign.length + other.length === 0) return undefined;
  const lines = [
    ...summary('missing', missing),
    ...summary('not expected', foreign),
    ...summary('held with another content', other),
    ...other.slice(0, 1).flatMap((key) => excerpt(heldTexts.get(key) ?? '', expectedTexts.get(key) ?? '')),
  ];
  return `The store holds ${held.length} items, expected were ${expected.length}:\n${lines.join('\n')}`;
}

function summary(what: string, keys: readonly string[]): string[] {
  return keys.length === 0 ? [] : [`  ${what}: ${keys.length}, first ${keys[0]}`];
}

/** Both texts around the first character in which they differ. */
function excerpt(held: string, expected: string): string[] {
  let at = 0;
  while (at < held.length && held[at] === expected[at]) at += 1;
  const window = (text: string): string => text.slice(Math.max(0, at - 60), at + 60);
  return [`  held:     …${window(held)}…`, `  expected: …${window(expected)}…`];
}
