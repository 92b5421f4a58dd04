import { expect, test } from '@jest/globals';
import { SinkError } from '../../contract/errors/errors.ts';
import { damage, fuzz, fuzzTimeoutMs } from '../../contract/fuzz.fixture.ts';
import { partedDocumentLayout, singleDocumentLayout } from './document-layout.ts';
import {
  at,
  bytesStore,
  item,
  readStored,
  scope,
  seal,
  signal,
  sinkOver,
  type BytesStore,
} from './documents.fixture.ts';

const canary = 'Row-4711';
const layouts = { single: singleDocumentLayout(), parted: partedDocumentLayout() };
type LayoutName = keyof typeof layouts;

const headKey = (layout: LayoutName): string => layouts[layout].headKey(scope);
const stored = [item('a', canary), item('b', canary), item('c', canary, 'cut'), item('d', canary, 'cut')];
const next = [item('a', canary), item('c', 2, 'cut'), item('e', canary)];

async function filled(layout: LayoutName): Promise<BytesStore> {
  const store = bytesStore();
  await sinkOver({ store, layout: layouts[layout], ...(layout === 'parted' ? { maxPartBytes: 650 } : {}) }).export(
    await seal(1, stored),
    { signal },
  );
  return store;
}

/** The code that the export ends with, or its outcome. Nothing else may come out, and nothing of what is stored. */
async function exportOver(store: BytesStore, layout: LayoutName, incompleteTargets: readonly string[] = []) {
  const snapshot = await seal(2, next, { incompleteTargets });
  try {
    return (await sinkOver({ store, layout: layouts[layout] }).export(snapshot, { signal })).outcome;
  } catch (error) {
    if (!SinkError.isInstance(error)) throw error;
    expect(error.message).not.toContain(canary);
    expect(error.cause).toBeUndefined();
    return error.code;
  }
}

const change = (store: BytesStore, key: string, bytes: string | Uint8Array): void =>
  void store.files.set(key, { bytes: Buffer.from(bytes), version: 'changed' });
const textOf = (store: BytesStore, key: string): string => Buffer.from(store.files.get(key)?.bytes ?? '').toString();

test.each<[string, (text: string) => string]>([
  ['cut', (text) => text.slice(0, text.length / 2)],
  ['empty', () => ''],
  ['of another kind', () => '[]'],
  ['no JSON', () => `<html>${canary}</html>`],
  ['of another version', (text) => text.replace('kollect.dev/v1alpha1', 'kollect.dev/v9')],
  ['without a time', (text) => text.replace(/"exportedAt":"[^"]*"/, '"exportedAt":"yesterday"')],
  ['with a generation that is none', (text) => text.replace('"generation":1', '"generation":-1')],
  ['with a count that is none', (text) => text.replace(/"itemCount":\d+,"p/, '"itemCount":1e99,"p')],
  ['with another count', (text) => text.replace(/"itemCount":\d+,"p/, '"itemCount":3,"p')],
  ['with targets that are none', (text) => text.replace('"inventoryName"', '"incompleteTargets":[7],"inventoryName"')],
  ['with parts that are none', (text) => text.replace(/"parts":\[.*?\]/, '"parts":[{"key":""}]')],
  ['with a million parts', (text) => text.replace(/"parts":\[.*?\]/, `"parts":[${'{},'.repeat(1e6)}{}]`)],
  ['with a part of a petabyte', (text) => text.replace(/"byteLength":\d+/, '"byteLength":1125899906842624')],
  ['without items and parts', (text) => text.replace(/"parts":\[.*?\],/, '')],
])('a head that is %s is SCHEMA_MISMATCH, and stays as it is', async (_, spoil) => {
  const store = await filled('parted');
  const damaged = spoil(textOf(store, headKey('parted')));
  change(store, headKey('parted'), damaged);
  expect(await exportOver(store, 'parted')).toBe('SCHEMA_MISMATCH');
  expect(textOf(store, headKey('parted'))).toBe(damaged);
});

test.each<LayoutName>(['single', 'parted'])('a head of another inventory is CONFLICT in %s', async (layout) => {
  const store = await filled(layout);
  change(
    store,
    headKey(layout),
    textOf(store, headKey(layout)).replace('"exportedAt"', '"cluster":"west","exportedAt"'),
  );
  expect(await exportOver(store, layout)).toBe('CONFLICT');
  const error: unknown = await sinkOver({ store, layout: layouts[layout] })
    .removeInventory(scope, { removedAt: at(5), signal })
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'CONFLICT', message: expect.stringContaining('west:team/apps') });
});

test.each<[string, (text: string) => string | undefined]>([
  ['missing', () => undefined],
  ['cut', (text) => text.slice(0, -70)],
  ['longer than it was', (text) => `${text} `],
  ['of other items', (text) => text.replace(canary, 'Row-4712')],
  ['out of order', (text) => text.replace('"uid":"c"', '"uid":"z"')],
  ['without an identity', (text) => text.replace('"uid":"c",', '')],
  ['with an item that is a number', (text) => text.replace(/"items":\[\{.*?\}\}?[,\]]/, '"items":[7,')],
])('a part that is %s is mended by a complete snapshot, and hides nothing from a partial one', async (_, spoil) => {
  const store = await filled('parted');
  const key = [...store.files.keys()].find((each) => each.includes('/parts/')) ?? '';
  const damaged = spoil(textOf(store, key));
  if (damaged === undefined) store.files.delete(key);
  else change(store, key, damaged);
  expect(await exportOver(store, 'parted', ['cut'])).toBe('SCHEMA_MISMATCH');
  expect(await exportOver(store, 'parted')).toBe('applied');
  expect(readStored(store, headKey('parted'))?.map(({ uid }) => uid)).toEqual(['c', 'a', 'e']);
});

test('a document whose items are others than its checksum says hides nothing from a partial snapshot', async () => {
  const store = await filled('single');
  change(store, headKey('single'), textOf(store, headKey('single')).replace(canary, 'Row-4712'));
  expect(await exportOver(store, 'single', ['cut'])).toBe('SCHEMA_MISMATCH');
  expect(await exportOver(store, 'single')).toBe('applied');
});

test.each([1, 2, 3, 7, 64])(
  'quotes, braces and backslashes in items are carried in chunks of %i bytes',
  async (chunkBytes) => {
    const store = bytesStore({ chunkBytes });
    const tricky = ['"}', '\\', '\\"]}', '{["', '",\n"}'].map((value, index) => item(`t${index}`, value, 'cut'));
    await sinkOver({ store, layout: layouts.single }).export(await seal(1, [...tricky, item('a', '"}')]), { signal });
    const partial = await seal(2, [item('a', '}"')], { incompleteTargets: ['cut'] });
    await sinkOver({ store, layout: layouts.single }).export(partial, { signal });
    const kept = readStored(store, headKey('single')) ?? [];
    expect(new Map(kept.map(({ uid, attributes }) => [uid, attributes['value']]))).toEqual(
      new Map([...tricky, item('a', '}"')].map(({ uid, attributes }) => [uid, attributes['value']])),
    );
  },
);

test('an item that is held twice is not carried twice', async () => {
  const store = await filled('single');
  const twice = await seal(1, [item('c', 1, 'cut'), { ...item('c', 2, 'cut'), name: 'other', uid: 'x' }]);
  const text = twice.items
    .map(({ json }) => Buffer.from(json).toString())
    .join(',')
    .replace('"uid":"x"', '"uid":"c"');
  const head = textOf(store, headKey('single'));
  change(store, headKey('single'), head.replace(/"itemCount":\d+,"items":\[.*\]/, `"itemCount":2,"items":[${text}]`));
  expect(await exportOver(store, 'single', ['cut'])).toBe('SCHEMA_MISMATCH');
});

test.each<[string, () => Iterable<Uint8Array>]>([
  ['fields', () => endless('{"checksum":"', 'a'.repeat(65_536))],
  ['items', () => endless(undefined, JSON.stringify({ a: 1 }).concat(','))],
  ['one item', () => endless(undefined, '{"a":'.repeat(16_384))],
  ['nothing', () => endless(undefined, ' '.repeat(65_536))],
])('a file of endless %s ends', async (_, chunks) => {
  const store = await filled('single');
  const head = textOf(store, headKey('single'));
  store.read = async () => ({
    version: '1',
    chunks: (function* () {
      for (const chunk of chunks())
        yield chunk.length > 0 ? chunk : Buffer.from(head.slice(0, head.indexOf('"items":[') + 9));
    })(),
  });
  const sink = sinkOver({ store, layout: layouts.single, maxDocumentBytes: 8 * 1024 * 1024 });
  const partial = await seal(2, next, { incompleteTargets: ['cut'] });
  await expect(sink.export(partial, { signal })).rejects.toMatchObject({ code: 'SCHEMA_MISMATCH' });
});

/** An empty first chunk stands for the head of a real document. */
function* endless(first: string | undefined, again: string): Generator<Uint8Array> {
  yield Buffer.from(first ?? '');
  for (;;) yield Buffer.from(again);
}

test('a file that is endless and empty ends with its signal', async () => {
  const store = await filled('single');
  store.read = async () => ({
    version: '1',
    chunks: (function* () {
      for (;;) yield new Uint8Array();
    })(),
  });
  const running = sinkOver({ store, layout: layouts.single, timeoutMs: 50 }).export(await seal(2, next), { signal });
  await expect(running).rejects.toMatchObject({ code: 'TIMEOUT' });
});

test(
  'bytes that are flipped, cut, repeated or lie end as a result or as an error of ours',
  async () => {
    const allowed = ['applied', 'unchanged', 'superseded', 'SCHEMA_MISMATCH', 'CONFLICT'];
    const originals = { single: await filled('single'), parted: await filled('parted') };
    await fuzz(400, async (random) => {
      const layout: LayoutName = random(2) === 0 ? 'single' : 'parted';
      const store = bytesStore({ chunkBytes: 1 + random(400) });
      for (const [key, file] of originals[layout].files) store.files.set(key, file);
      const keys = [...store.files.keys()];
      const key = keys[random(keys.length)] ?? '';
      change(store, key, damage(store.files.get(key)?.bytes ?? new Uint8Array(), random));
      expect(allowed).toContain(await exportOver(store, layout, random(2) === 0 ? ['cut'] : []));
    });
  },
  fuzzTimeoutMs,
);
