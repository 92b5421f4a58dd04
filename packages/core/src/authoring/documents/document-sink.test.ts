import { describe, expect, test } from '@jest/globals';
import { SinkError } from '../../contract/errors/errors.ts';
import { partedDocumentLayout, singleDocumentLayout } from './document-layout.ts';
import { at, bytesStore, item, readStored, scope, seal, signal, sinkOver } from './documents.fixture.ts';

const parted = partedDocumentLayout();
const single = singleDocumentLayout();
const partedHead = parted.headKey(scope);
const singleHead = single.headKey(scope);

const start = (maxPartBytes = 700) => {
  const store = bytesStore();
  const sink = sinkOver({ store, layout: parted, maxPartBytes });
  const uids = (): readonly string[] | undefined => readStored(store, partedHead)?.map(({ uid }) => uid);
  const parts = (): string[] => [...store.files.keys()].filter((key) => key !== partedHead);
  return { store, sink, uids, parts };
};
const items = (from: number, to: number, value: unknown = 1) =>
  Array.from({ length: to - from }, (_, index) => item(`uid-${String(from + index).padStart(4, '0')}`, value));
const counts = (inserted: number, updated: number, deleted: number, unchanged: number) => ({
  inserted,
  updated,
  deleted,
  unchanged,
});
const failure = (promise: Promise<unknown>): Promise<SinkError> =>
  promise.then(
    () => Promise.reject(new Error('resolved')),
    (error: unknown) => (SinkError.isInstance(error) ? error : Promise.reject(error)),
  );

describe('parts', () => {
  test('are written before the head that names them, and those before are deleted', async () => {
    const { store, sink, uids, parts } = start();
    const first = await sink.export(await seal(1, items(0, 10)), { signal });
    expect([first.outcome, first.counts, first.messages, first.reference]).toEqual([
      'applied',
      counts(10, 0, 0, 0),
      parts().length,
      expect.stringMatching(/^version \d+$/),
    ]);
    expect(first.messages).toBeGreaterThan(2);
    const before = parts();
    const second = await sink.export(await seal(2, [...items(0, 4), ...items(4, 6, 2), ...items(12, 15)]), { signal });
    expect(second.counts).toEqual(counts(3, 2, 4, 4));
    expect(uids()).toHaveLength(9);
    expect(parts().filter((key) => before.includes(key))).toEqual([]);
    expect([...store.files.values()].reduce((sum, { bytes }) => sum + bytes.length, 0)).toBeGreaterThan(second.bytes);
  });

  test('stay where the fence alone moves, and are not read for it', async () => {
    const { store, sink, parts } = start();
    await sink.export(await seal(1, items(0, 10)), { signal });
    const before = parts();
    store.calls.length = 0;
    const again = await sink.export(await seal(2, items(0, 10), { generation: 7 }), { signal });
    expect(again).toMatchObject({ outcome: 'unchanged', counts: counts(0, 0, 0, 10), messages: 0, bytes: 0 });
    expect([parts(), store.calls]).toEqual([before, [`read ${partedHead}`, 'commit']]);
    expect(JSON.parse(Buffer.from(store.files.get(partedHead)?.bytes ?? '').toString())).toMatchObject({
      generation: 7,
      exportedAt: at(2),
    });
    store.calls.length = 0;
    await sink.export(await seal(2, items(0, 10), { generation: 7 }), { signal });
    expect(store.calls).toEqual([`read ${partedHead}`]);
  });

  test('of a commit that did not end are deleted by the next, and not before they are older than it', async () => {
    const { store, sink, uids, parts } = start();
    await sink.export(await seal(1, items(0, 3)), { signal });
    store.onCommit = () => 'between';
    await failure(sink.export(await seal(5, items(0, 8)), { signal }));
    store.onCommit = () => undefined;
    const left = parts();
    await sink.export(await seal(4, items(0, 4)), { signal });
    expect([uids()?.length, left.some((key) => store.files.has(key))]).toEqual([4, true]);
    const fresh = sinkOver({ store, layout: parted, maxPartBytes: 700 });
    await fresh.export(await seal(6, items(0, 5)), { signal });
    expect([uids()?.length, left.some((key) => store.files.has(key))]).toEqual([5, false]);
  });

  test('that could not be deleted are looked for again, those of strangers never touched', async () => {
    const { store, sink, parts } = start();
    const foreign = partedHead.replace('head.json', 'parts/notes.txt');
    store.files.set(foreign, { bytes: Buffer.from('mine'), version: 'x' });
    await sink.export(await seal(1, items(0, 3)), { signal });
    const before = parts().filter((key) => key !== foreign);
    store.onCommit = () => 'undeleted';
    await sink.export(await seal(2, items(0, 4)), { signal });
    store.onCommit = () => undefined;
    expect(before.every((key) => store.files.has(key))).toBe(true);
    store.calls.length = 0;
    await sink.export(await seal(3, items(0, 5)), { signal });
    expect([before.some((key) => store.files.has(key)), store.files.has(foreign)]).toEqual([false, true]);
    expect(store.calls).toContain('list');
    store.calls.length = 0;
    await sink.export(await seal(4, items(0, 6)), { signal });
    expect(store.calls).not.toContain('list');
  });
});

describe('a lost race', () => {
  test('is decided again on the new head', async () => {
    const { store, sink, uids } = start();
    await sink.export(await seal(1, items(0, 4)), { signal });
    const other = sinkOver({ store, layout: parted });
    let raced = false;
    store.onCommit = async () => {
      if (raced) return undefined;
      raced = true;
      await other.export(await seal(3, items(0, 2)), { signal });
      return undefined;
    };
    const late = await sink.export(await seal(2, items(0, 8)), { signal });
    expect([late.outcome, uids()?.length]).toEqual(['superseded', 2]);
  });

  test('that turns out to be won is applied, with what it wrote', async () => {
    const { store, sink, uids } = start();
    await sink.export(await seal(1, items(0, 4)), { signal });
    // A client that sent the head twice: the answer to the second says that somebody was faster.
    const commit = store.commit.bind(store);
    store.commit = async (what, options) => {
      store.commit = commit;
      await commit(what, options);
      return { outcome: 'conflict' };
    };
    const result = await sink.export(await seal(2, items(0, 8)), { signal });
    expect([result.outcome, result.counts, uids()?.length]).toEqual(['applied', counts(4, 0, 0, 4), 8]);
    store.commit = async (what, options) => {
      store.commit = commit;
      await commit(what, options);
      return { outcome: 'conflict' };
    };
    const removed = await sink.removeInventory(scope, { removedAt: at(3), signal });
    expect([removed.outcome, removed.counts.deleted]).toEqual(['applied', 8]);
  });

  test('that is lost again and again ends as OVERLOADED', async () => {
    const { store, sink } = start();
    store.commit = async () => ({ outcome: 'conflict' });
    expect(await failure(sink.export(await seal(1, items(0, 1)), { signal }))).toMatchObject({
      code: 'OVERLOADED',
      retryable: true,
      operation: 'export',
    });
  });

  test('leaves alone what the winner deleted while it was read', async () => {
    const { store, sink, uids } = start();
    await sink.export(await seal(1, [...items(0, 4), item('kept', 1, 'cut')]), { signal });
    const read = store.read.bind(store);
    store.read = async (key, options) => {
      if (key !== partedHead) {
        store.read = read;
        await sinkOver({ store, layout: parted }).export(await seal(1, [...items(0, 5), item('kept', 2, 'cut')]), {
          signal,
        });
      }
      return read(key, options);
    };
    await sink.export(await seal(2, items(0, 2), { incompleteTargets: ['cut'] }), { signal });
    expect(uids()).toEqual(['kept', 'uid-0000', 'uid-0001']);
  });
});

describe('items of an incomplete target', () => {
  test('are carried from one part to another, and the result says that it is partial', async () => {
    const { store, sink, uids } = start();
    const cut = Array.from({ length: 6 }, (_, index) => item(`c${index}`, 1, 'cut'));
    await sink.export(await seal(1, [...cut, ...items(0, 3)]), { signal });
    const partial = await seal(2, [item('c1', 2, 'cut'), ...items(1, 3)], { incompleteTargets: ['team/cut'] });
    const plan = await sink.plan(partial, { signal });
    expect([plan.outcome, plan.counts]).toEqual(['applied', counts(0, 1, 1, 2)]);
    expect((await sink.export(partial, { signal })).counts).toEqual(plan.counts);
    expect(uids()).toEqual(['c0', 'c1', 'c2', 'c3', 'c4', 'c5', 'uid-0001', 'uid-0002']);
    expect(JSON.parse(Buffer.from(store.files.get(partedHead)?.bytes ?? '').toString())).toMatchObject({
      incompleteTargets: ['team/cut'],
      itemCount: 8,
    });
    expect((await sink.export(partial, { signal })).outcome).toBe('unchanged');
    const complete = await seal(3, [item('c1', 2, 'cut'), ...items(1, 3)]);
    expect((await sink.export(complete, { signal })).counts).toEqual(counts(0, 0, 5, 3));
  });

  test.each([
    ['one document', single, singleHead],
    ['parts', parted, undefined],
  ])('are those of its namespace alone, in %s', async (_, layout, head) => {
    const store = bytesStore();
    const sink = sinkOver({ store, layout });
    const pods = (targetNamespace: string, uids: readonly string[]) =>
      uids.map((uid) => ({ ...item(`${targetNamespace}-${uid}`, 1, 'pods'), targetNamespace }));
    const whole = [...pods('east', ['a', 'b']), ...pods('west', ['a', 'b'])];
    await sink.export(await seal(1, whole), { signal });
    const partial = await seal(2, [...pods('east', ['a']), ...pods('west', ['a'])], {
      incompleteTargets: ['west/pods'],
    });
    const { counts: planned } = await sink.plan(partial, { signal });
    expect((await sink.export(partial, { signal })).counts).toEqual(planned);
    expect(planned).toEqual(counts(0, 0, 1, 2));
    const held = readStored(store, head ?? partedHead)?.map(({ uid }) => uid);
    expect(held).toEqual(['east-a', 'west-a', 'west-b']);
    await expect(seal(3, whole, { incompleteTargets: ['pods'] })).rejects.toMatchObject({ code: 'SNAPSHOT_INVALID' });
  });
});

describe('one document', () => {
  test('is its own head, and stays a document for any reader, also as a tombstone', async () => {
    const store = bytesStore();
    const sink = sinkOver({ store, layout: single });
    await sink.export(await seal(1, items(0, 5)), { signal });
    expect([...store.files.keys()]).toEqual([singleHead]);
    await sink.export(await seal(2, items(0, 5)), { signal });
    expect((await sink.export(await seal(1, items(0, 1)), { signal })).outcome).toBe('superseded');
    expect(readStored(store, singleHead)).toHaveLength(5);
    const removed = await sink.removeInventory(scope, { removedAt: at(3), signal });
    expect([removed.outcome, removed.counts.deleted]).toEqual(['applied', 5]);
    expect(JSON.parse(Buffer.from(store.files.get(singleHead)?.bytes ?? '').toString())).toMatchObject({
      removed: true,
      items: [],
      itemCount: 0,
      exportedAt: at(3),
    });
  });

  test('above its limit is refused before anything is written', async () => {
    const store = bytesStore();
    const sink = sinkOver({ store, layout: single, maxPartBytes: 600 });
    expect(await failure(sink.export(await seal(1, items(0, 5)), { signal }))).toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
    });
    expect(store.files.size).toBe(0);
  });
});

test.each([
  ['an unknown option', { maxPartByte: 5 }],
  ['a store that cannot commit', { store: {} }],
])('%s is a violation', (_, wrong) => {
  const options = { store: bytesStore(), layout: single, ...wrong } as Parameters<typeof sinkOver>[0];
  expect(() => sinkOver(options)).toThrow(expect.objectContaining({ code: 'CONTRACT_VIOLATION' }));
});

test('errors of the store end an operation as its own, without their text', async () => {
  const store = bytesStore();
  store.read = async () => Promise.reject(new Error('secret'));
  const error = await failure(sinkOver({ store, layout: single }).export(await seal(1, []), { signal }));
  expect([error.code, error.sinkType, error.message.includes('secret')]).toEqual([
    'CONTRACT_VIOLATION',
    'bytes',
    false,
  ]);
});
