import {
  aBoolean,
  anObject,
  anyValue,
  aSignal,
  aText,
  checkOptions,
  oneOf,
  required,
  someText,
  type OptionKinds,
} from '../contract/errors/check-options.ts';
import { SinkError } from '../contract/errors/errors.ts';
import { isList } from '../contract/errors/show-value.ts';
import { readQuietly } from '../contract/errors/thrown.ts';
import { describeType } from '../contract/snapshot/item-encoder.ts';
import { readAll } from '../contract/snapshot/read-all.ts';
import type { InventorySnapshot, Scope } from '../contract/snapshot/snapshot.ts';
import { checkCount, checkScope, checkTime } from '../contract/snapshot/snapshot-input.ts';
import { markOrigin } from '../contract/snapshot/snapshot-origin.ts';
import { createTimeSlices } from '../contract/time-slices.ts';
import type { ItemFromObjectOptions, KubernetesObject } from '../resources/item-from-object.ts';
import { createCandidateReader, formatTarget, whichObject, whoseItem, type Candidate } from './candidates.ts';
import { createObjectReaders, holdsVersion, noteVersion, readBy, type ReadVersion } from './held-objects.ts';
import { createHeldItems } from './held-items.ts';
import { createHeldTargets, type HeldTarget, type TargetName } from './held-target.ts';
import type {
  Inventory,
  InventoryKey,
  InventoryOptions,
  InventorySealOptions,
  ReplacementCounts,
  ReplaceOptions,
} from './inventory-types.ts';
import { replaceItems, type ReadElement } from './replace-items.ts';
import { createTurns } from './turns.ts';

const scopeKinds: OptionKinds<Scope> = { cluster: anyValue, inventoryNamespace: anyValue, inventoryName: anyValue };
const optionKinds: OptionKinds<InventoryOptions> = { sanitize: aBoolean, onInvalid: oneOf('refuse', 'leave-out') };
const keyKinds: OptionKinds<InventoryKey> = { target: required(anObject), uid: required(someText) };
const targetKinds: OptionKinds<TargetName> = { namespace: required(aText), name: required(someText) };
const sealKinds: OptionKinds<InventorySealOptions> = { generation: anyValue, exportedAt: anyValue, signal: aSignal };
const replaceKinds: OptionKinds<ReplaceOptions> = { signal: aSignal };

const subject = (of: string) => ({ of, code: 'SNAPSHOT_INVALID', operation: 'seal' }) as const;
const checkTarget = (target: TargetName, method: string): TargetName =>
  checkOptions(target, targetKinds, subject(`The target given to ${method}`));

/** An empty inventory of one scope, to be kept as long as the operator watches it. Throws SNAPSHOT_INVALID for a bad scope. */
export function createInventory(scope: Scope, options?: InventoryOptions): Inventory {
  const given = checkOptions<Scope>(scope, scopeKinds, subject('The scope given to createInventory'));
  const checked = checkOptions(options, optionKinds, {
    of: 'The options of createInventory',
    operation: 'seal',
  });
  return inventoryOf(Object.freeze(checkScope({ ...given }, 'seal')), checked);
}

function inventoryOf(scope: Scope, options: InventoryOptions): Inventory {
  const targets = createHeldTargets();
  const held = createHeldItems(targets);
  const reader = createCandidateReader({ scope, targets, held, options });
  const inTurn = createTurns();
  const origin = Object.freeze({});
  const readerOf = createObjectReaders();

  function touch({ replacements }: HeldTarget, uid: string): void {
    for (const newer of replacements) newer.uids.add(uid);
  }

  /** `read`: of an object of the API, in which version and by which attributes. */
  function admit(candidate: Candidate, read?: Omit<ReadVersion, 'uid'>): boolean {
    const found = reader.read(candidate);
    const { target } = found;
    if ('leftOut' in found) {
      touch(target, found.leftOut);
      const isKnown = target.leftOut.has(found.leftOut);
      target.leftOut.add(found.leftOut);
      return held.take(target, found.leftOut) || !isKnown;
    }
    const { uid } = found.item;
    touch(target, uid);
    const wasLeftOut = target.leftOut.delete(uid);
    if (read !== undefined) readBy(target, read.source);
    noteVersion(target, { uid, version: '', source: undefined, ...read });
    return held.put(target, found.item) || wasLeftOut;
  }

  async function replace(
    given: TargetName,
    elements: Iterable<unknown>,
    read: (target: HeldTarget, element: unknown, index: number) => ReadElement,
    { signal, source }: ReplaceOptions & { readonly source?: unknown },
  ): Promise<ReplacementCounts> {
    const target = targets.getOrAdd(given);
    const newer = { uids: new Set<string>(), isMarked: false };
    target.replacements.add(newer);
    try {
      return await inTurn(() =>
        replaceItems(
          held,
          {
            target,
            elements,
            newer,
            source,
            read: (element, index) => read(target, element, index),
            onDuplicate: (first, second) => reader.refuseBoth(first, second),
          },
          {
            reading: createTimeSlices({ signal, operation: 'seal' }),
            applying: createTimeSlices({ operation: 'seal' }),
          },
        ),
      );
    } finally {
      target.replacements.delete(newer);
      targets.forgetIdle(target);
    }
  }

  function incompleteTargets(): readonly string[] {
    const names: string[] = [];
    for (const target of targets)
      if (target.isMarkedIncomplete || target.leftOut.size > 0) names.push(formatTarget(target));
    return Object.freeze(names.sort());
  }

  function candidateOf(item: unknown, index?: number): Candidate {
    return { ...whoseItem(item), make: () => item, ...(index !== undefined && { index }) };
  }

  return {
    scope,
    get size() {
      return held.size;
    },
    get bytes() {
      return held.bytes;
    },
    get reservedBytes() {
      return held.reservedBytes;
    },
    get incompleteTargets() {
      return incompleteTargets();
    },
    get leftOut() {
      return [...reader.leftOut];
    },
    set: (item) => admit(candidateOf(item)),
    setObject<T extends KubernetesObject>(object: T, options: ItemFromObjectOptions<T>) {
      const { target: name, read } = readerOf(options);
      const { uid, version } = whichObject(object);
      const target = targets.get(name);
      if (target !== undefined && holdsVersion(target, { uid, version, source: options.attributes })) {
        touch(target, uid);
        return false;
      }
      return admit({ target: name, uid, make: () => read(object) }, { version, source: options.attributes });
    },
    delete(key) {
      const { target: name, uid } = checkOptions(key, keyKinds, subject('The key given to delete'));
      const target = targets.get(checkTarget(name, 'delete'));
      if (target === undefined) return false;
      touch(target, uid);
      target.leftOut.delete(uid);
      const wasHeld = held.take(target, uid);
      targets.forgetIdle(target);
      return wasHeld;
    },
    async replaceTarget(target, items, given) {
      const name = checkTarget(target, 'replaceTarget');
      const run = checkOptions(given, replaceKinds, subject('The options of replaceTarget'));
      return replace(
        name,
        listOf(items, 'The items given to replaceTarget'),
        (_, item, index) => reader.read({ ...candidateOf(item, index), target: name }),
        run,
      );
    },
    async replaceObjects<T extends KubernetesObject>(
      objects: Iterable<T>,
      options: ItemFromObjectOptions<T>,
      given?: ReplaceOptions,
    ) {
      const { target: name, read } = readerOf(options);
      const run = checkOptions(given, replaceKinds, subject('The options of replaceObjects'));
      return replace(
        name,
        listOf(objects, 'The objects given to replaceObjects'),
        (target, object, index) => {
          const { uid, version } = whichObject(object);
          const known = target.items.get(uid);
          if (known !== undefined && holdsVersion(target, { uid, version, source: options.attributes }))
            return { item: known, version };
          readBy(target, options.attributes);
          const make = (): unknown => read(object as T);
          return { ...reader.read({ target: name, uid, make, index }), version };
        },
        { ...run, source: options.attributes },
      );
    },
    markIncomplete(name) {
      const target = targets.getOrAdd(checkTarget(name, 'markIncomplete'));
      target.isMarkedIncomplete = true;
      for (const newer of target.replacements) newer.isMarked = true;
    },
    markComplete(name) {
      const target = targets.get(checkTarget(name, 'markComplete'));
      if (target === undefined) return;
      target.isMarkedIncomplete = false;
      targets.forgetIdle(target);
    },
    async seal(given) {
      const { signal, ...asked } = checkOptions(given, sealKinds, subject('The options of seal'));
      const generation = checkCount('generation', asked.generation, 'seal');
      const exportedAt = checkTime(asked.exportedAt ?? new Date(), 'seal');
      return inTurn(async (): Promise<InventorySnapshot> => {
        const hashing = createTimeSlices({ signal, operation: 'seal' });
        const incomplete = incompleteTargets();
        const { items, itemsByteLength, checksum } = await held.inOrder({
          ordering: createTimeSlices({ operation: 'seal' }),
          hashing,
        });
        markOrigin(items, origin);
        const header = { ...scope, generation, exportedAt, incompleteTargets: incomplete };
        return Object.freeze({ ...header, checksum, items, itemsByteLength });
      });
    },
  };
}

/** The elements as they are now, where it is a list; else its iterable, which is read once. */
function listOf(given: unknown, of: string): Iterable<unknown> {
  if (typeof given === 'string' || typeof readQuietly(given, Symbol.iterator) !== 'function')
    throw new SinkError('SNAPSHOT_INVALID', `${of} are ${describeType(given)}; expected an iterable.`, {
      operation: 'seal',
    });
  try {
    return readAll(isList(given) ? given.slice() : (given as Iterable<unknown>), of);
  } catch {
    throw new SinkError('SNAPSHOT_INVALID', `${of} are an array of which an element cannot be read.`, {
      operation: 'seal',
    });
  }
}
