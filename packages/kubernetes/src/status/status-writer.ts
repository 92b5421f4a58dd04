import { isDeepStrictEqual } from 'node:util';
import { ApiError } from '../api/api-error.ts';
import type { ApiObject, KubernetesApi, ResourceType } from '../api/kubernetes-api.ts';
import { fieldOf, timedConditions, type Condition, type Judgement } from './conditions.ts';

/** A status as it should be, without times of conditions. */
export interface WantedStatus {
  readonly conditions: readonly Judgement[];
  /** Entries of a list by name, each with conditions of its own. */
  readonly sinks?: readonly WantedEntry[];
  readonly [field: string]: unknown;
}

export interface WantedEntry {
  readonly name: string;
  readonly conditions: readonly Judgement[];
  readonly [field: string]: unknown;
}

/** A condition that flipped, or is there for the first time. */
export interface Flip {
  readonly object: ApiObject;
  readonly condition: Condition;
  /** Its status before; undefined where it was not there. */
  readonly was: unknown;
}

export interface StatusWriterOptions {
  readonly api: Pick<KubernetesApi, 'patch'>;
  /** Milliseconds since the epoch, as other machines have it. */
  readonly timeOfDay: () => number;
  readonly signal: AbortSignal;
  readonly onFlip?: (flip: Flip) => void;
}

export interface StatusWriter {
  /** Writes what is other than what stands there; gives in how many milliseconds what was held back should be written, if anything was. */
  write(type: ResourceType, object: ApiObject, wanted: WantedStatus): Promise<number | undefined>;
}

/** Numbers and times that change with every export are no reason to write more often. */
const coalesceMs = 60_000;
const coalesced: ReadonlySet<string> = new Set(['items', 'lastExportTime']);
export const fieldManager = 'kollect-operator';

/** Writes a status only where it means something else than the one that stands there, so that an unchanged world is not written and wakes nobody. */
export function createStatusWriter({ api, timeOfDay, signal, onFlip }: StatusWriterOptions): StatusWriter {
  /** By uid: what was written last, which the watch may not have brought yet, and when. */
  const written = new WeakMap<ApiObject, object>();
  const lastWrites = new Map<string, number>();

  const standing = (object: ApiObject): unknown => written.get(object) ?? object['status'];

  return {
    write: async (type, object, wanted) => {
      const { uid = '', name, namespace } = object.metadata;
      const before = standing(object);
      const next = completed(before, wanted, new Date(timeOfDay()).toISOString().replace(/\.\d+Z$/u, 'Z'));
      if (isSame(before, next)) return undefined;
      const last = lastWrites.get(uid);
      const waitMs = last === undefined ? 0 : last + coalesceMs - timeOfDay();
      if (waitMs > 0 && isSame(material(before), material(next))) return waitMs;
      forgetOld(lastWrites, timeOfDay() - coalesceMs);
      try {
        const of = { name, ...(namespace === undefined ? {} : { namespace }) };
        const body = { metadata: { uid }, status: withoutLeft(before, next) };
        await api.patch(type, of, body, { type: 'merge', subresource: 'status', fieldManager, signal });
      } catch (error) {
        // Deleted meanwhile, or made anew under its name: there is nothing to tell any more.
        if (error instanceof ApiError && (error.status === 404 || error.status === 409)) return undefined;
        throw error;
      }
      written.set(object, next);
      lastWrites.set(uid, timeOfDay());
      for (const condition of next.conditions) {
        const old = conditionsOf(before).find((each) => fieldOf(each, 'type') === condition.type);
        const was = fieldOf(old, 'status');
        if (was !== condition.status) onFlip?.({ object, condition, was });
      }
      return undefined;
    },
  };
}

type CompletedStatus = WantedStatus & { readonly conditions: readonly Condition[] };

function completed(before: unknown, wanted: WantedStatus, at: string): CompletedStatus {
  const { conditions, sinks, ...rest } = wanted;
  const old = Array.isArray(fieldOf(before, 'sinks')) ? (fieldOf(before, 'sinks') as readonly unknown[]) : [];
  const entries = sinks?.map((entry) => {
    const known = old.find((each) => fieldOf(each, 'name') === entry.name);
    return { ...entry, conditions: timedConditions(fieldOf(known, 'conditions'), entry.conditions, at) };
  });
  return {
    ...rest,
    conditions: timedConditions(fieldOf(before, 'conditions'), conditions, at),
    ...(entries === undefined ? {} : { sinks: entries }),
  };
}

/** Through JSON, as the API server keeps it: a field that is undefined is none. */
function isSame(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(asJson(a), asJson(b));
}

function asJson(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

function material(status: unknown): unknown {
  if (Array.isArray(status)) return status.map(material);
  if (typeof status !== 'object' || status === null) return status;
  const kept = Object.entries(status).filter(([field, value]) => !coalesced.has(field) && value !== undefined);
  return Object.fromEntries(kept.map(([field, value]) => [field, material(value)]));
}

/** A merge patch takes away only what it names. */
function withoutLeft(before: unknown, next: object): object {
  const left = typeof before === 'object' && before !== null ? Object.keys(before) : [];
  return { ...Object.fromEntries(left.filter((field) => !(field in next)).map((field) => [field, null])), ...next };
}

function conditionsOf(status: unknown): readonly unknown[] {
  const conditions = fieldOf(status, 'conditions');
  return Array.isArray(conditions) ? conditions : [];
}

function forgetOld(lastWrites: Map<string, number>, before: number): void {
  for (const [uid, at] of lastWrites) if (at <= before) lastWrites.delete(uid);
}
