import { afterEach, expect, test } from '@jest/globals';
import type { DeliveryLogger } from '@kollect/core';
import { ApiError } from '../api/api-error.ts';
import type { ApiObject, ResourceType } from '../api/kubernetes-api.ts';
import { createFakeApi } from '../testing/fake-api.ts';
import type { FakeApi } from '../testing/fake-api-types.ts';
import { manualClock, settle, type ManualClock } from '../testing/manual-clock.fixture.ts';
import { createResourceWatch } from './resource-watch.ts';
import type { ResourceWatch, ResourceWatchOptions, WatchChange, WatchState } from './watch-types.ts';

const pods: ResourceType = { apiVersion: 'v1', kind: 'Pod', plural: 'pods', namespaced: true };
const pod = (name: string, fields: object = {}, metadata: object = {}): ApiObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace: 'shop', name, ...metadata },
  ...fields,
});
const of = (name: string) => ({ namespace: 'shop', name });

interface Run<T> {
  readonly api: FakeApi;
  readonly clock: ManualClock;
  readonly watch: ResourceWatch<T>;
  readonly told: string[];
  readonly states: WatchState[];
  readonly logged: string[];
  names(): readonly string[];
}

const open: ResourceWatch<unknown>[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((watch) => watch.close()));
});

function textOf(change: WatchChange<unknown>): string {
  const names = (objects: readonly { readonly name: string }[]) => objects.map(({ name }) => name).join();
  if (change.kind !== 'replace') return `${change.kind} ${change.object.name}`;
  return `replace ${names(change.objects)} set ${names(change.set)} deleted ${names(change.deleted)}`;
}

function start<T = ApiObject>(
  given: Partial<ResourceWatchOptions<T>> = {},
  names: readonly string[] = ['a', 'b'],
): Run<T> {
  const clock = manualClock();
  const api = createFakeApi({ clock });
  for (const name of names) api.put(pod(name));
  return startOn(api, clock, given);
}

function startOn<T>(api: FakeApi, clock: ManualClock, given: Partial<ResourceWatchOptions<T>>): Run<T> {
  const told: string[] = [];
  const states: WatchState[] = [];
  const logged: string[] = [];
  const log = (fields: object, message: string): void => void logged.push(`${message} ${JSON.stringify(fields)}`);
  const logger: DeliveryLogger = { debug: log, info: log, warn: log, error: log };
  const onChange = (change: WatchChange<T>): void => void told.push(textOf(change));
  const onState = (state: WatchState): void => void states.push(state);
  const watch = createResourceWatch<T>(api, { type: pods, clock, onChange, onState, logger, ...given });
  open.push(watch);
  const held = (): readonly string[] => watch.objects().map(({ name }) => name);
  return { api, clock, watch, told, states, logged, names: held };
}

test('the objects of all pages are held, then every change', async () => {
  const { api, watch, told, names } = start({ pageSize: 2 }, ['a', 'b', 'c', 'd', 'e']);
  expect(watch.state).toEqual({ synced: false, incomplete: 'not-synced', forbidden: false });
  await settle();
  expect(watch.state).toEqual({ synced: true, forbidden: false });
  expect(api.calls({ verb: 'list' }).map(({ page }) => page)).toEqual([1, 2, 3]);
  api.put(pod('f'));
  api.put(pod('a', { spec: { nodeName: 'x' } }));
  api.remove('Pod', of('b'));
  await settle();
  expect(told).toEqual(['replace a,b,c,d,e set a,b,c,d,e deleted ', 'set f', 'set a', 'delete b']);
  expect(names()).toEqual(['a', 'c', 'd', 'e', 'f']);
  expect(watch.get(of('a'))?.object).toMatchObject({ spec: { nodeName: 'x' } });
  expect(api.calls({ verb: 'list' })).toHaveLength(3);
});

test('an object deleted and made again under its name is another one', async () => {
  const { api, watch, told } = start();
  await settle();
  const before = watch.get(of('a'))?.uid;
  api.remove('Pod', of('a'));
  api.put(pod('a'));
  await settle();
  expect(told.slice(1)).toEqual(['delete a', 'set a']);
  expect(watch.get(of('a'))?.uid).not.toBe(before);
});

test('so it is where a list finds it', async () => {
  const { api, clock, told } = start();
  await settle();
  api.fail({ kind: 'reset' });
  await settle();
  api.remove('Pod', of('a'));
  api.put(pod('a'));
  api.put(pod('c'));
  api.remove('Pod', of('b'));
  api.forgetHistory();
  api.heal();
  await clock.advance(60_000);
  expect(told.slice(1)).toEqual(['replace a,c set a,c deleted a,b']);
});

test('nothing is told of what a list finds as it was', async () => {
  const { api, clock, told } = start();
  await settle();
  api.forgetHistory();
  api.put(pod('c'));
  api.endWatches(new ApiError('expired', { status: 410, reason: 'Expired' }));
  await clock.advance(2_000);
  expect(told.slice(1)).toEqual(['set c', 'replace a,b,c set  deleted ']);
});

test.each<[string, (api: FakeApi) => void, number]>([
  ['429', (api) => void api.fail({ kind: 'status', status: 429 }, { times: 4 }), 4],
  ['503', (api) => void api.fail({ kind: 'status', status: 503 }, { times: 4 }), 4],
  ['401', (api) => void api.fail({ kind: 'status', status: 401, reason: 'Unauthorized' }, { times: 4 }), 4],
  ['resets', (api) => void api.fail({ kind: 'reset' }, { times: 4 }), 4],
  ['410 of lists', (api) => void api.fail({ kind: 'status', status: 410 }, { verb: 'list', times: 4 }), 4],
  ['page 2 fails', (api) => void api.fail({ kind: 'status', status: 500 }, { page: 2, times: 4 }), 4],
  ['page 2 comes again and again', (api) => void api.fail({ kind: 'same-continue' }, { page: 2, times: 4 }), 2],
  ['silence', (api) => void api.fail({ kind: 'silence' }, { times: 2 }), 2],
])('before the first list is complete nothing counts as known: %s', async (_, fail, failures) => {
  const clock = manualClock();
  const api = createFakeApi({ clock });
  for (const name of ['a', 'b', 'c']) api.put(pod(name));
  fail(api);
  const { watch, told, logged } = startOn(api, clock, { pageSize: 1 });
  await settle();
  expect(watch.state).toMatchObject({ synced: false, incomplete: 'not-synced' });
  expect([told, watch.size]).toEqual([[], 0]);
  await clock.advance(10 * 60_000);
  expect(watch.state).toEqual({ synced: true, forbidden: false });
  expect(told).toEqual(['replace a,b,c set a,b,c deleted ']);
  expect(logged.length).toBeGreaterThanOrEqual(failures);
});

test.each<[string, (api: FakeApi) => void, { readonly lists: number }]>([
  ['the server ends the watch', (api) => api.endWatches(), { lists: 1 }],
  ['the connection breaks', (api) => void api.fail({ kind: 'reset' }, { times: 1 }), { lists: 1 }],
  [
    'the version is too old',
    (api) => {
      api.forgetHistory();
      api.put(pod('x'));
      api.endWatches(new ApiError('expired', { status: 410, reason: 'Expired' }));
    },
    { lists: 2 },
  ],
  [
    'an event cannot be read',
    (api) => api.endWatches(new ApiError('bad', { status: 0, reason: 'BadResponse' })),
    { lists: 2 },
  ],
  ['an adapter throws what it should not', (api) => api.endWatches(new TypeError('oops')), { lists: 2 }],
  ['the watch is half open', (api) => void api.fail({ kind: 'silence' }, { times: 1 }), { lists: 3 }],
  [
    'too many watches',
    (api) => {
      api.fail({ kind: 'status', status: 429, retryAfterMs: 20_000 }, { verb: 'watch', times: 2 });
      api.endWatches();
    },
    { lists: 1 },
  ],
])('what happened in the meantime is not missed: %s', async (_, harm, { lists }) => {
  const { api, clock, watch, names } = start();
  await clock.advance(5_000);
  harm(api);
  api.put(pod('c'));
  api.remove('Pod', of('a'));
  await clock.advance(200_000);
  api.bookmark();
  await settle();
  expect(names().filter((name) => name !== 'x')).toEqual(['b', 'c']);
  expect(watch.state).toEqual({ synced: true, forbidden: false });
  expect(api.calls({ verb: 'list' })).toHaveLength(lists);
});

test('bookmarks move the version on, so that a quiet type needs no list', async () => {
  const { api, clock, told } = start();
  for (let minute = 0; minute < 30; minute += 1) {
    api.put({ ...pod('elsewhere'), kind: 'Service', spec: { minute } });
    await clock.advance(60_000);
    api.forgetHistory();
  }
  expect(api.calls({ verb: 'list' })).toHaveLength(1);
  expect(api.calls({ verb: 'watch' }).length).toBeGreaterThan(5);
  expect(told).toHaveLength(1);
});

test('a server that asks for patience gets it, but not for ever', async () => {
  const clock = manualClock();
  const api = createFakeApi({ clock });
  const tooMany = (retryAfterMs: number) => ({ kind: 'status', status: 429, retryAfterMs }) as const;
  // The newest fault is met first.
  api.fail(tooMany(20_000), { times: 1 });
  api.fail(tooMany(9e9), { times: 1 });
  startOn(api, clock, {});
  await clock.advance(59_000);
  expect(api.calls()).toHaveLength(1);
  await clock.advance(8_000);
  expect(api.calls()).toHaveLength(2);
  await clock.advance(12_000);
  expect(api.calls()).toHaveLength(2);
  await clock.advance(10_000);
  expect(api.calls({ verb: 'watch' })).toHaveLength(1);
});

test('a server that fails for long is asked ever less often, and never at the same pace by two', async () => {
  const clock = manualClock();
  const api = createFakeApi({ clock });
  api.fail({ kind: 'status', status: 500 });
  const run = startOn(api, clock, {});
  await clock.advance(600_000);
  const calls = api.calls().length;
  expect(calls).toBeGreaterThan(20);
  expect(calls).toBeLessThan(60);
  const waits = run.logged.map((line) => /"waitMs":(\d+)/u.exec(line)?.[1]);
  expect(new Set(waits.slice(-10)).size).toBeGreaterThan(5);
});

test('a watch that ends at once again and again is no storm', async () => {
  const { api, clock } = start();
  await settle();
  for (let round = 0; round < 300; round += 1) {
    api.bookmark();
    await settle();
    api.endWatches();
    await clock.advance(100);
  }
  expect(api.calls({ verb: 'watch' }).length).toBeLessThan(80);
});

test('what is forbidden keeps what is held, and says so', async () => {
  const { api, clock, watch, names } = start({ selection: { namespace: 'shop' } });
  await settle();
  const end = api.fail({ kind: 'status', status: 403, reason: 'Forbidden' }, { namespace: 'shop' });
  api.forgetHistory();
  api.endWatches(new ApiError('expired', { status: 410, reason: 'Expired' }));
  await clock.advance(60_000);
  expect(watch.state).toMatchObject({ synced: true, forbidden: true, incomplete: 'forbidden' });
  expect(watch.state.problem?.message).toBe('Could not list pods in "shop": 403 (Forbidden).');
  expect(names()).toEqual(['a', 'b']);
  end();
  await clock.advance(60_000);
  expect(watch.state).toEqual({ synced: true, forbidden: false });
});

test('who may list and not watch is told so, and gets lists', async () => {
  const clock = manualClock();
  const api = createFakeApi({ clock });
  api.fail({ kind: 'status', status: 403, reason: 'Forbidden' }, { verb: 'watch' });
  const { watch, names, states } = startOn(api, clock, {});
  await clock.advance(60_000);
  api.put(pod('a'));
  await clock.advance(90_000);
  expect(names()).toEqual(['a']);
  expect(watch.state).toMatchObject({ synced: true, incomplete: 'forbidden' });
  // Known at first, then it may not watch, and no back and forth.
  expect(new Set(states.slice(2).map(({ incomplete }) => incomplete))).toEqual(new Set(['forbidden']));
});

test('what was not heard of for long is stale, from when it was heard last', async () => {
  const { api, clock, watch, states } = start();
  await clock.advance(10_000);
  api.bookmark();
  await settle();
  const heardAt = clock.now();
  await clock.advance(10_000);
  const end = api.fail({ kind: 'reset' });
  await settle();
  expect(watch.state).toMatchObject({
    synced: true,
    staleSince: new Date(heardAt),
    problem: { reason: 'Unreachable' },
  });
  expect(watch.state.incomplete).toBeUndefined();
  await clock.advance(300_000);
  expect(watch.state.incomplete).toBe('stale');
  expect(states.at(-1)?.incomplete).toBe('stale');
  end();
  await clock.advance(40_000);
  expect(watch.state).toEqual({ synced: true, forbidden: false });
  expect(states.at(-1)).toEqual({ synced: true, forbidden: false });
});

test('a page that is too large is asked for in smaller ones', async () => {
  const clock = manualClock();
  const api = createFakeApi({ clock });
  for (let index = 0; index < 20; index += 1) api.put(pod(`p${String(index)}`));
  const limits: (number | undefined)[] = [];
  const list: FakeApi['list'] = async (type, options) => {
    limits.push(options.limit);
    if ((options.limit ?? 0) > 4) throw new ApiError('too large', { status: 0, reason: 'ResponseTooLarge' });
    return api.list(type, options);
  };
  const { watch } = startOn({ ...api, list, watch: api.watch }, clock, { pageSize: 16 });
  await clock.advance(30_000);
  expect(watch.size).toBe(20);
  expect(limits).toEqual([16, 8, 4, 4, 4, 4, 4]);
});

test('a list without end is none', async () => {
  const clock = manualClock();
  const api = createFakeApi({ clock });
  let tokens = 0;
  const list: FakeApi['list'] = async () => ({
    items: [],
    resourceVersion: '5',
    continue: `t${String((tokens += 1))}`,
  });
  const { watch } = startOn({ ...api, list, watch: api.watch }, clock, {});
  await clock.advance(2_000);
  expect(watch.state).toMatchObject({ synced: false, problem: { reason: 'BadResponse' } });
  expect(tokens).toBeLessThan(500);
});

test('of each object is kept what project keeps, and managed fields are never seen', async () => {
  const seen: unknown[] = [];
  const clock = manualClock();
  const api = createFakeApi({ clock });
  const list: FakeApi['list'] = async (type, options) => {
    const page = await api.list(type, options);
    const managed = (object: ApiObject) => ({ ...object, metadata: { ...object.metadata, managedFields: [{}] } });
    return { ...page, items: page.items.map(managed) };
  };
  api.put(pod('a', { spec: { nodeName: 'x' } }));
  const project = (object: ApiObject): string => {
    seen.push(object.metadata['managedFields']);
    return (object['spec'] as { nodeName: string }).nodeName;
  };
  const { watch } = startOn<string>({ ...api, list, watch: api.watch }, clock, { project });
  await settle();
  expect(watch.objects()).toEqual([
    { uid: expect.any(String), name: 'a', namespace: 'shop', resourceVersion: expect.any(String), object: 'x' },
  ]);
  expect(seen).toEqual([undefined]);
});

test('an object that project fails on makes what is known incomplete, until it can be read or is gone', async () => {
  const project = (object: ApiObject): ApiObject => {
    if (object['bad'] === true) throw new RangeError('geheim');
    return object;
  };
  const { api, watch, told, logged, names } = start({ project });
  api.put(pod('c', { bad: true }));
  await settle();
  expect(names()).toEqual(['a', 'b']);
  expect(watch.state.incomplete).toBe('unreadable');
  api.put(pod('a', { bad: true }));
  await settle();
  expect(names()).toEqual(['a', 'b']);
  api.put(pod('a', { bad: false }));
  api.remove('Pod', of('c'));
  await settle();
  expect(watch.state).toEqual({ synced: true, forbidden: false });
  expect(told.at(-1)).toBe('set a');
  expect(logged.join('\n')).toContain('"error":"RangeError"');
  expect(logged.join('\n')).not.toContain('geheim');
});

test('a callback that throws or rejects is logged, and the watch goes on', async () => {
  let calls = 0;
  const { api, watch, logged } = start({
    onChange: () => {
      calls += 1;
      if (calls > 1) throw new Error('geheim');
      return Promise.reject(new TypeError('geheim')) as unknown as void;
    },
    onState: () => {
      throw new Error('geheim');
    },
  });
  await settle();
  api.put(pod('c'));
  await settle();
  expect(watch.size).toBe(3);
  expect(calls).toBe(2);
  expect(logged).toHaveLength(3);
  expect(logged.join('\n')).not.toContain('geheim');
});

test('a logger that throws stops nothing', async () => {
  const fail = (): never => {
    throw new Error('no log');
  };
  const logger: DeliveryLogger = { debug: fail, info: fail, warn: fail, error: fail };
  const { api, clock, watch } = start({ logger, onChange: fail });
  api.fail({ kind: 'status', status: 500 }, { times: 3 });
  await clock.advance(30_000);
  expect(watch.state.synced).toBe(true);
});

test('closed, it tells nothing and leaves neither timer nor watch', async () => {
  const stopping = new AbortController();
  const { api, clock, watch, told } = start({ signal: stopping.signal });
  await settle();
  api.put(pod('c'));
  stopping.abort();
  await watch.close();
  await watch.close();
  expect(told).toHaveLength(1);
  expect([api.openWatches, clock.timers]).toEqual([0, 0]);
});

test.each([
  ['in a list', { kind: 'silence' } as const, 'list' as const],
  ['in a watch', { kind: 'silence' } as const, 'watch' as const],
  ['between two calls', { kind: 'status', status: 500 } as const, 'list' as const],
])('closed %s, it ends', async (_, fault, verb) => {
  const clock = manualClock();
  const api = createFakeApi({ clock });
  api.fail(fault, { verb });
  const { watch } = startOn(api, clock, {});
  await settle();
  await watch.close();
  expect(clock.timers).toBe(0);
});

test('a callback that closes it hears no more', async () => {
  const told: string[] = [];
  const run: { watch?: ResourceWatch } = {};
  const clock = manualClock();
  const api = createFakeApi({ clock });
  api.put(pod('a'));
  run.watch = createResourceWatch(api, {
    type: pods,
    clock,
    onChange: (change) => {
      told.push(textOf(change));
      void run.watch?.close();
    },
  });
  await settle();
  api.put(pod('b'));
  await settle();
  expect(told).toEqual(['replace a set a deleted ']);
  expect(clock.timers).toBe(0);
});

test.each<[object, string]>([
  [{}, 'type is missing'],
  [{ type: pods, pagesize: 5 }, 'did you mean "pageSize"?'],
  [{ type: pods, idleTimeout: '2 minutes' }, 'idleTimeout: expected a duration'],
  [{ type: pods, idleTimeout: '0s' }, 'must be longer than nothing'],
])('wrong options are refused: %j', (options, message) => {
  expect(() => createResourceWatch(createFakeApi(), options as ResourceWatchOptions)).toThrow(message);
});
