import { isDeepStrictEqual } from 'node:util';
import { expect } from '@jest/globals';
import { SinkError } from '../../contract/errors/errors.ts';
import type { Random } from '../../contract/fuzz.fixture.ts';
import { itemKey } from '../../contract/snapshot/merge-items.ts';
import { sealSnapshot } from '../../contract/snapshot/seal-snapshot.ts';
import type { ItemCounts } from '../../contract/sink.ts';
import type { InventorySnapshot, Item, Scope } from '../../contract/snapshot/snapshot.ts';
import type { DocumentLayout } from './document-layout.ts';
import { at, item, signal, sinkOver } from './documents.fixture.ts';
import type { DocumentSink } from './document-sink.ts';
import type { CommitResult, DocumentStore } from './document-store.ts';

/** What a store must hold of one scope. */
interface ModelState {
  readonly second: number;
  readonly items: ReadonlyMap<string, Item>;
  readonly removed: boolean;
}

type Step =
  | {
      readonly kind: 'export';
      readonly second: number;
      readonly items: readonly Item[];
      readonly incomplete: readonly string[];
    }
  | { readonly kind: 'remove'; readonly second: number };

interface Outcome {
  readonly outcome: string;
  readonly counts: ItemCounts;
}

const none: ItemCounts = { inserted: 0, updated: 0, deleted: 0, unchanged: 0 };

/** What a step makes of a state, and what the sink must say of it. */
function applyStep(state: ModelState | undefined, step: Step): readonly [ModelState | undefined, Outcome] {
  const before = state?.items ?? new Map<string, Item>();
  if (step.kind === 'remove') {
    if (state?.removed === true && step.second <= state.second) return [state, { outcome: 'unchanged', counts: none }];
    if (state !== undefined && step.second < state.second) return [state, { outcome: 'superseded', counts: none }];
    const outcome = state === undefined || state.removed ? 'unchanged' : 'applied';
    return [
      { second: step.second, items: new Map(), removed: true },
      { outcome, counts: { ...none, deleted: before.size } },
    ];
  }
  if (state !== undefined && step.second < state.second) return [state, { outcome: 'superseded', counts: none }];
  const items = new Map(step.items.map((each) => [itemKey(each), each]));
  const counts = { ...none };
  for (const [key, each] of items) {
    const old = before.get(key);
    counts[old === undefined ? 'inserted' : isDeepStrictEqual(old, each) ? 'unchanged' : 'updated'] += 1;
  }
  for (const [key, old] of before) {
    if (items.has(key)) continue;
    if (step.incomplete.includes(targetOf(old))) items.set(key, old);
    else counts.deleted += 1;
  }
  const isSame = state !== undefined && !state.removed && counts.inserted + counts.updated + counts.deleted === 0;
  return [
    { second: step.second, items, removed: false },
    { outcome: isSame ? 'unchanged' : 'applied', counts },
  ];
}

export interface ModelSubject {
  readonly store: DocumentStore;
  readonly layout: DocumentLayout;
  /** What any reader finds, by other means than the sink; undefined where there is nothing, or no more. */
  readonly read: (scope: Scope) => Promise<readonly Item[] | undefined>;
  /** Whether commits of the store itself end between parts and manifest, where they can. */
  readonly failBetween?: (on: boolean) => void;
}

const scopes: readonly Scope[] = ['apps', 'Apps', 'apps2'].map((inventoryName) => ({
  inventoryNamespace: 'team',
  inventoryName,
}));
/** Two of one name, in two namespaces. */
const targets = [
  { targetNamespace: 'team', targetName: 'cut' },
  { targetNamespace: 'other', targetName: 'cut' },
  { targetNamespace: 'team', targetName: 'whole' },
] as const;
const targetOf = ({ targetNamespace, targetName }: Pick<Item, 'targetNamespace' | 'targetName'>): string =>
  `${targetNamespace}/${targetName}`;

/** Random exports and removals, alone and at once, with crashes, by two sinks: after each the store holds what the model says. */
export async function runDocumentModel(subject: ModelSubject, random: Random, steps: number): Promise<void> {
  const states = new Map<Scope, ModelState | undefined>();
  const { layout } = subject;
  const faults = faultyStore(subject.store);
  const sinks = [0, 1].map(() =>
    sinkOver({ store: faults.store, layout, ...(layout.parts === undefined ? {} : { maxPartBytes: 600 }) }),
  );
  const pick = <T>(list: readonly T[]): T => list[random(list.length)] as T;
  let second = 100;

  for (let count = 0; count < steps; count += 1) {
    const scope = pick(scopes);
    const state = states.get(scope);
    const next = (): Step => randomStep(state, (second += random(3)) - random(4), random);
    const kind = random(10);
    let allowed: readonly (ModelState | undefined)[];
    if (kind < 6) {
      const step = next();
      const [after, expected] = applyStep(state, step);
      if (step.kind === 'export' && random(4) === 0) await expectPlan(pick(sinks), scope, step, expected);
      expect(await run(pick(sinks), scope, step)).toEqual(expected);
      allowed = [after];
    } else if (kind < 8) {
      const both = [next(), next()] as const;
      const said = await Promise.all(both.map((step, index) => run(sinks[index] as DocumentSink, scope, step)));
      allowed = explainedBy(state, both, said);
    } else {
      const step = next();
      const fault = pick(['before', 'after', 'between'] as const);
      const isBetween = fault === 'between' && subject.failBetween !== undefined;
      if (isBetween) subject.failBetween?.(true);
      else faults.next(fault === 'after' ? 'after' : 'before');
      const [after] = applyStep(state, step);
      const said = await run(pick(sinks), scope, step);
      // Where nothing was to be written there was nothing to fail.
      allowed = said === undefined ? [fault === 'after' ? after : state] : [after];
      faults.next(undefined);
      subject.failBetween?.(false);
    }
    const held = sorted(await subject.read(scope));
    const texts = allowed.map((each) =>
      sorted(each === undefined || each.removed ? undefined : [...each.items.values()]),
    );
    expect(texts).toContainEqual(held);
    states.set(scope, allowed[texts.findIndex((text) => isDeepStrictEqual(text, held))]);
  }
}

/** The states after those of the two orders, one step after the other, that explain what both were told. */
function explainedBy(
  state: ModelState | undefined,
  [a, b]: readonly [Step, Step],
  said: readonly (Outcome | undefined)[],
): readonly (ModelState | undefined)[] {
  const [afterA, saidA] = applyStep(state, a);
  const [afterAB, saidAB] = applyStep(afterA, b);
  const [afterB, saidB] = applyStep(state, b);
  const [afterBA, saidBA] = applyStep(afterB, a);
  const orders = [
    { after: afterAB, told: [saidA, saidAB] },
    { after: afterBA, told: [saidBA, saidB] },
    // Who finds exactly the head that it lost a race for takes it for its own, where nothing tells the two apart.
    ...(isDeepStrictEqual(afterA, afterB) ? [{ after: afterA, told: [saidA, saidB] }] : []),
  ];
  expect(orders.map(({ told }) => told)).toContainEqual(said);
  return orders.filter(({ told }) => isDeepStrictEqual(told, said)).map(({ after }) => after);
}

function randomStep(state: ModelState | undefined, second: number, random: Random): Step {
  if (random(6) === 0) return { kind: 'remove', second };
  const items = new Map(random(5) === 0 ? [] : [...(state?.items ?? [])]);
  for (let changes = random(6); changes > 0; changes -= 1) {
    // One UID moves in the order, too, when its name or the namespace of its target changes.
    const made = item(`u${random(12)}`, random(3));
    const named = { ...made, ...targets[random(targets.length)], name: `n${random(3)}` };
    if (random(3) === 0) items.delete(itemKey(named));
    else items.set(itemKey(named), named);
  }
  const incomplete = targets.filter(() => random(4) === 0).map(targetOf);
  const listed = [...items.values()].filter((each) => !incomplete.includes(targetOf(each)) || random(2) === 0);
  return { kind: 'export', second, items: listed, incomplete };
}

/** What the sink says; undefined where the store failed. */
async function run(sink: DocumentSink, scope: Scope, step: Step): Promise<Outcome | undefined> {
  try {
    const { outcome, counts } =
      step.kind === 'remove'
        ? await sink.removeInventory(scope, { removedAt: at(step.second), signal })
        : await sink.export(await snapshotOf(scope, step), { signal });
    return { outcome, counts };
  } catch (error) {
    if (SinkError.isInstance(error) && error.code === 'CONTRACT_VIOLATION') return undefined;
    throw error;
  }
}

async function expectPlan(
  sink: DocumentSink,
  scope: Scope,
  step: Step & { kind: 'export' },
  expected: Outcome,
): Promise<void> {
  const { outcome, counts } = await sink.plan(await snapshotOf(scope, step), { signal });
  expect({ outcome, counts }).toEqual(expected);
}

function snapshotOf(
  scope: Scope,
  { second, items, incomplete }: Step & { kind: 'export' },
): Promise<InventorySnapshot> {
  return sealSnapshot({ ...scope, generation: second, exportedAt: at(second), items, incompleteTargets: incomplete });
}

function sorted(items: readonly Item[] | undefined): readonly string[] | undefined {
  return items?.map((each) => JSON.stringify([targetOf(each), each.uid, each.name, each.attributes])).sort();
}

/** The store, whose next commit fails before or after it did anything. */
function faultyStore(store: DocumentStore) {
  let fault: 'before' | 'after' | undefined;
  const { list } = store;
  const faulty: DocumentStore = {
    read: (key, options) => store.read(key, options),
    commit: async (commit, options): Promise<CommitResult> => {
      const now = fault;
      fault = undefined;
      if (now === 'before') throw new Error('crashed before the commit');
      const result = await store.commit(commit, options);
      if (now === 'after') throw new Error('crashed after the commit');
      return result;
    },
    ...(list === undefined
      ? {}
      : { list: (prefix: string, options: { signal: AbortSignal }) => list(prefix, options) }),
    now: (options) => store.now(options),
  };
  return { store: faulty, next: (kind: 'before' | 'after' | undefined) => void (fault = kind) };
}
