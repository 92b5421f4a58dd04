import { isDeepStrictEqual } from 'node:util';

type Json = unknown;
type JsonObject = Readonly<Record<string, Json>>;

const isObject = (value: Json): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** RFC 7396: null takes a field away, lists are replaced. */
export function mergePatch(target: Json, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const merged: Record<string, Json> = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = mergePatch(merged[key], value);
  }
  return merged;
}

/** Lists whose elements are told apart by a field; every other list is one value. */
const keyOfList: Readonly<Record<string, string>> = { conditions: 'type', sinks: 'name', ownerReferences: 'uid' };

/**
 * Server-side apply of one manager: what `applied` says, and without what the same manager said `before` and says no more, unless
 * `others` say it, too.
 */
export function applyFields(
  current: Json,
  applied: Json,
  { before, others }: { readonly before: Json; readonly others: readonly Json[] },
  field = '',
): Json {
  const known = listAsMap(field, [applied, current, before, ...others]);
  if (known !== undefined) return Object.values(applyObjects(known));
  if (Array.isArray(applied) && field === 'finalizers')
    return [...new Set([...(Array.isArray(current) ? (current as Json[]) : []), ...(applied as Json[])])].filter(
      (one) => (applied as Json[]).includes(one) || !(Array.isArray(before) && before.includes(one)),
    );
  if (!isObject(applied)) return applied;
  return applyObjects({ current, applied, before, others });
}

interface Sides {
  readonly current: Json;
  readonly applied: Json;
  readonly before: Json;
  readonly others: readonly Json[];
}

function applyObjects({ current, applied, before, others }: Sides): JsonObject {
  const [now, said, then] = [current, applied, before].map((side) => (isObject(side) ? side : {})) as [
    JsonObject,
    JsonObject,
    JsonObject,
  ];
  const merged: Record<string, Json> = { ...now };
  const of = (side: Json, key: string): Json => (isObject(side) ? side[key] : undefined);
  for (const key of new Set([...Object.keys(said), ...Object.keys(then)])) {
    const ofOthers = others.map((other) => of(other, key)).filter((value) => value !== undefined);
    if (Object.hasOwn(said, key))
      merged[key] = applyFields(now[key], said[key], { before: then[key], others: ofOthers }, key);
    else if (ofOthers.length === 0) {
      const left = isObject(now[key]) && isObject(then[key]) ? without(now[key], then[key]) : undefined;
      if (left === undefined) delete merged[key];
      else merged[key] = left;
    }
  }
  return merged;
}

/** What is left of an object that a manager no longer names: the fields that it never named. */
function without(now: JsonObject, then: JsonObject): JsonObject | undefined {
  const left = Object.entries(now).filter(
    ([key, value]) => !Object.hasOwn(then, key) || !isDeepStrictEqual(value, then[key]),
  );
  return left.length === 0 ? undefined : Object.fromEntries(left);
}

function listAsMap(field: string, sides: readonly Json[]): Sides | undefined {
  const key = keyOfList[field];
  if (key === undefined || !Array.isArray(sides[0])) return undefined;
  const [applied, current, before, ...others] = sides.map((side) =>
    Array.isArray(side)
      ? Object.fromEntries((side as Json[]).map((one) => [String(isObject(one) ? one[key] : one), one]))
      : undefined,
  );
  return { current, applied, before, others: others.filter((side) => side !== undefined) };
}
