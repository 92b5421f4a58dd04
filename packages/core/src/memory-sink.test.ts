import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { createSinkRegistry } from './create-sink-registry.ts';
import { wholeDocument } from './contract/document/document.ts';
import { SinkError } from './contract/errors/errors.ts';
import { sealSnapshot, type SnapshotInput } from './contract/snapshot/seal-snapshot.ts';
import type { InventorySnapshot, Item } from './contract/snapshot/snapshot.ts';
import { memorySink } from './memory-sink.ts';

const { signal } = new AbortController();
const scope = { inventoryNamespace: 'team', inventoryName: 'apps' };
const at = (minute: number): string => new Date(Date.UTC(2026, 0, 31, 12, minute)).toISOString();
const now = (): Date => new Date(at(30));

const item = (uid: string, replicas = 1, targetName = 'deployments'): Item => ({
  targetNamespace: 'team',
  targetName,
  namespace: 'shop',
  name: uid,
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  uid,
  attributes: { replicas },
});

const seal = (minute: number, items: readonly Item[], more: Partial<SnapshotInput> = {}): Promise<InventorySnapshot> =>
  sealSnapshot({ ...scope, generation: 1, exportedAt: at(minute), items, ...more });

const start = () => {
  const memory = memorySink({ now });
  const sink = createSinkRegistry([memory]).create({ type: 'memory' });
  const uids = (): readonly string[] | undefined =>
    memory
      .contents()
      .get('team/apps')
      ?.items.map(({ uid }) => uid);
  return { memory, sink, uids };
};

const codeOf = (promise: Promise<unknown> | undefined): Promise<string> =>
  Promise.resolve(promise).then(
    () => 'resolved',
    (error: unknown) => (SinkError.isInstance(error) ? error.code : 'not a SinkError'),
  );

const counts = (inserted: number, updated: number, deleted: number, unchanged: number) => ({
  inserted,
  updated,
  deleted,
  unchanged,
});

test('counts what differs and makes the store equal to the snapshot', async () => {
  const { sink, uids } = start();
  const first = await sink.export(await seal(0, [item('a'), item('b'), item('c')]), { signal });
  expect([first.outcome, first.counts, first.messages]).toEqual(['applied', counts(3, 0, 0, 0), 1]);
  const second = await seal(1, [item('a'), item('b', 2), item('d')]);
  const plan = await sink.plan?.(second, { signal });
  expect([plan?.outcome, plan?.counts, plan?.samples]).toEqual([
    'applied',
    counts(1, 1, 1, 1),
    {
      inserted: [{ targetName: 'deployments', uid: 'd' }],
      updated: [{ targetName: 'deployments', uid: 'b' }],
      deleted: [{ targetName: 'deployments', uid: 'c' }],
    },
  ]);
  expect(uids()).toEqual(['a', 'b', 'c']);
  const applied = await sink.export(second, { signal });
  expect([applied.outcome, applied.counts, applied.bytes]).toEqual([
    'applied',
    counts(1, 1, 1, 1),
    wholeDocument(second).byteLength,
  ]);
  expect(uids()).toEqual(['a', 'b', 'd']);
});

test('the same items again are unchanged, and move the fence', async () => {
  const { sink, memory } = start();
  await sink.export(await seal(0, [item('a')]), { signal });
  const again = await sink.export(await seal(2, [item('a')], { generation: 2 }), { signal });
  expect(again).toEqual({ outcome: 'unchanged', counts: counts(0, 0, 0, 1), messages: 0, bytes: 0 });
  expect(memory.contents().get('team/apps')).toMatchObject({ generation: 2, exportedAt: at(2) });
  expect((await sink.export(await seal(1, []), { signal })).outcome).toBe('superseded');
});

test('an older snapshot changes nothing', async () => {
  const { sink, uids } = start();
  await sink.export(await seal(1, [item('a')]), { signal });
  const older = await seal(0, [item('b')]);
  expect(await sink.export(older, { signal })).toEqual({
    outcome: 'superseded',
    counts: counts(0, 0, 0, 0),
    messages: 0,
    bytes: 0,
  });
  expect((await sink.plan?.(older, { signal }))?.outcome).toBe('superseded');
  expect(uids()).toEqual(['a']);
});

test('items of an incomplete target stay, until a complete listing says otherwise', async () => {
  const { sink, uids } = start();
  await sink.export(await seal(0, [item('a'), item('b', 1, 'configmaps'), item('c')]), { signal });
  const cut = await sink.export(await seal(1, [item('a')], { incompleteTargets: ['configmaps'] }), { signal });
  expect([cut.counts, uids()]).toEqual([counts(0, 0, 1, 1), ['b', 'a']]);
  // Equal checksum as the one before, and yet the store is not equal to it.
  const complete = await sink.export(await seal(2, [item('a')]), { signal });
  expect([complete.outcome, complete.counts, uids()]).toEqual(['applied', counts(0, 0, 1, 1), ['a']]);
});

test('a removed inventory is gone, and an older snapshot does not bring it back', async () => {
  const { sink, memory, uids } = start();
  await sink.export(await seal(1, [item('a'), item('b')]), { signal });
  expect((await sink.removeInventory?.(scope, { signal, removedAt: at(0) }))?.outcome).toBe('superseded');
  expect(uids()).toEqual(['a', 'b']);
  const removed = await sink.removeInventory?.(scope, { signal, removedAt: at(2) });
  expect([removed?.outcome, removed?.counts, memory.contents().size]).toEqual(['applied', counts(0, 0, 2, 0), 0]);
  expect((await sink.removeInventory?.(scope, { signal, removedAt: at(2) }))?.outcome).toBe('unchanged');
  expect((await sink.removeInventory?.(scope, { signal, removedAt: at(1) }))?.outcome).toBe('unchanged');
  expect((await sink.export(await seal(1, [item('a')]), { signal })).outcome).toBe('superseded');
  expect((await sink.export(await seal(3, [item('a')]), { signal })).counts).toEqual(counts(1, 0, 0, 0));
});

test('scopes do not touch each other', async () => {
  const { sink, memory } = start();
  await sink.export(await seal(0, [item('a')], { cluster: 'east' }), { signal });
  await sink.export(await seal(0, [item('b')], { cluster: 'west' }), { signal });
  await sink.export(await seal(1, [], { cluster: 'east' }), { signal });
  expect([...memory.contents()].map(([key, { items }]) => [key, items.length])).toEqual([
    ['east:team/apps', 0],
    ['west:team/apps', 1],
  ]);
});

test('each definition has a store of its own, which its sinks share', async () => {
  const memory = memorySink({ now });
  const registry = createSinkRegistry([memory]);
  await registry.create({ type: 'memory' }).export(await seal(1, [item('a')]), { signal });
  expect((await registry.create({ type: 'memory', memory: {} }).export(await seal(0, []), { signal })).outcome).toBe(
    'superseded',
  );
  expect(memorySink().contents().size).toBe(0);
});

test('a time far ahead is refused before it can fence the scope', async () => {
  const { sink, memory } = start();
  const future = await seal(41, [item('a')]);
  expect(await codeOf(sink.export(future, { signal }))).toBe('SNAPSHOT_INVALID');
  expect(await codeOf(sink.plan?.(future, { signal }))).toBe('SNAPSHOT_INVALID');
  expect(await codeOf(sink.removeInventory?.(scope, { signal, removedAt: at(41) }))).toBe('SNAPSHOT_INVALID');
  expect(memory.contents().size).toBe(0);
});

test.each([
  [new Error('stop'), 'ABORTED'],
  [Object.assign(new Error('late'), { name: 'TimeoutError' }), 'TIMEOUT'],
])('an aborted signal with %p ends every operation with %s', async (reason, code) => {
  const { sink, memory } = start();
  const options = { signal: AbortSignal.abort(reason) };
  const snapshot = await seal(0, [item('a')]);
  expect(await codeOf(sink.export(snapshot, options))).toBe(code);
  expect(await codeOf(sink.plan?.(snapshot, options))).toBe(code);
  expect(await codeOf(sink.removeInventory?.(scope, { ...options, removedAt: at(0) }))).toBe(code);
  expect(await codeOf(sink.testConnection(options))).toBe(code);
  expect(memory.contents().size).toBe(0);
});

test('the connection test passes, and close may be called twice', async () => {
  const { sink } = start();
  expect((await sink.testConnection({ signal })).ok).toBe(true);
  await sink.close();
  await sink.close();
  expect(await codeOf(sink.export(await seal(0, []), { signal }))).toBe('ABORTED');
});

test('what the sink to read first imports is there for every author', () => {
  const read = (file: string): string => readFileSync(new URL(file, import.meta.url), 'utf8');
  const names = (text: string, keyword: 'import' | 'export'): string[] =>
    [...text.matchAll(new RegExp(`^${keyword}( type)? \\{([^}]*)\\} from`, 'gmu'))].flatMap(([, , list = '']) =>
      list.split(',').flatMap((name) => name.trim().replace(/^type /, '') || []),
    );
  const exported = new Set([...names(read('index.ts'), 'export'), ...names(read('authoring/index.ts'), 'export')]);
  const imported = names(read('memory-sink.ts'), 'import');
  expect(imported).toContain('createDocumentSink');
  expect(imported.filter((name) => !exported.has(name))).toEqual([]);
});
