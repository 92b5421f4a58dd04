import { SinkError } from '../contract/errors/errors.ts';
import { showText } from '../contract/errors/show-value.ts';
import { ownData, readQuietly } from '../contract/errors/thrown.ts';
import { createItemEncoder, describeItem } from '../contract/snapshot/item-encoder.ts';
import { formatScope } from '../contract/snapshot/scope.ts';
import type { PooledItem } from '../contract/snapshot/sealed-item.ts';
import type { ItemIdentity, Scope } from '../contract/snapshot/snapshot.ts';
import type { HeldItems } from './held-items.ts';
import type { HeldTarget, HeldTargets, TargetName } from './held-target.ts';
import type { InventoryOptions } from './inventory-types.ts';

const keptErrors = 100;

/** Something of the host that should become an item. */
export interface Candidate {
  /** Of whom it is; undefined where it does not say. */
  readonly target: TargetName | undefined;
  /** Empty where it does not say. */
  readonly uid: string;
  readonly make: () => unknown;
  /** Its place in a list. */
  readonly index?: number;
}

export type ReadCandidate = { readonly target: HeldTarget } & (
  | { readonly item: PooledItem }
  | { readonly leftOut: string }
);

/** Turns what the host gives into items, and knows what could not be turned. */
export interface CandidateReader {
  /** Throws SNAPSHOT_INVALID where that is what the host wants, and where not even the target is known. */
  read(candidate: Candidate): ReadCandidate;
  /** Throws, or remembers that neither was taken. */
  refuseBoth(first: PooledItem, second: PooledItem): void;
  readonly leftOut: readonly SinkError[];
}

export interface CandidateReaderOptions {
  readonly scope: Scope;
  readonly targets: HeldTargets;
  readonly held: HeldItems;
  readonly options: InventoryOptions;
}

export function createCandidateReader({ scope, targets, held, options }: CandidateReaderOptions): CandidateReader {
  const encoder = createItemEncoder({ scope, operation: 'seal', sanitize: options.sanitize });
  const leftOut: SinkError[] = [];

  const invalid = (problem: string): SinkError =>
    new SinkError('SNAPSHOT_INVALID', `Inventory ${formatScope(scope)}: ${problem}`, { operation: 'seal' });

  function readItem({ target, make, index }: Candidate): { readonly target: HeldTarget; readonly item: PooledItem } {
    const given = make();
    const { identity, json } = encoder.encode(given, index);
    const own = { namespace: identity.targetNamespace, name: identity.targetName };
    if (target !== undefined && formatTarget(target) !== formatTarget(own))
      throw invalid(
        `${describeItem(identity, index)} is of target ${showText(formatTarget(own))} and was given for ${showText(formatTarget(target))}.`,
      );
    refuseNamesake(identity, own);
    const of = targets.getOrAdd(own);
    return { target: of, item: held.itemOf(of, identity, json) };
  }

  /** An object once per target name: in stores the namespace of the target is no part of the key. */
  function refuseNamesake(identity: ItemIdentity, own: TargetName): void {
    for (const other of targets.named(own.name)) {
      if (other.namespace === own.namespace || !other.items.has(identity.uid)) continue;
      const [first, second] = [formatTarget(other), formatTarget(own)].map((name) => showText(name));
      throw invalid(
        `${describeItem(identity)} is held for target ${first} and was given for ${second}: give each object once per target name.`,
      );
    }
  }

  function remember(error: SinkError): void {
    leftOut.push(error);
    if (leftOut.length > keptErrors) leftOut.shift();
  }

  return {
    leftOut,
    read(candidate) {
      try {
        return readItem(candidate);
      } catch (error) {
        const isInvalid = SinkError.isInstance(error) && error.code === 'SNAPSHOT_INVALID';
        if (!isInvalid || options.onInvalid !== 'leave-out' || candidate.target === undefined) throw error;
        remember(error);
        return { target: targets.getOrAdd(candidate.target), leftOut: candidate.uid };
      }
    },
    refuseBoth(first, second) {
      const error = invalid(
        `${describeItem(first)} and ${describeItem(second)} both have uid ${showText(second.uid)} in target ${showText(second.targetName)}: ` +
          'give each object once per target.',
      );
      if (options.onInvalid !== 'leave-out') throw error;
      remember(error);
    },
  };
}

/** `namespace/name`, as `incompleteTargets` has it. */
export function formatTarget({ namespace, name }: TargetName): string {
  return `${namespace}/${name}`;
}

/** Of whom an item says that it is. */
export function whoseItem(item: unknown): Pick<Candidate, 'target' | 'uid'> {
  const [namespace, name, uid] = ['targetNamespace', 'targetName', 'uid'].map((field) => ownData(item, field));
  const isNamed = typeof namespace === 'string' && typeof name === 'string' && name !== '';
  return { target: isNamed ? { namespace, name } : undefined, uid: typeof uid === 'string' ? uid : '' };
}

/** UID and version of an object of the API; empty where it has none. */
export function whichObject(object: unknown): { readonly uid: string; readonly version: string } {
  const metadata = readQuietly(object, 'metadata');
  const [uid, version] = ['uid', 'resourceVersion'].map((field) => readQuietly(metadata, field));
  return { uid: typeof uid === 'string' ? uid : '', version: typeof version === 'string' ? version : '' };
}
