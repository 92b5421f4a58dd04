import type { DeliveryClock } from '@kollect/core';
import { anObject, checkOptions, listOf } from '@kollect/core/authoring';
import { callFailed } from '../api/api-error.ts';
import type { ApiObject, ObjectName, ResourceType, Selection } from '../api/kubernetes-api.ts';
import type { FakeApi, FakeApiOptions, FakeCall, FakeFault, FakeVerb } from './fake-api-types.ts';
import { createFakeFaults, matchesCall } from './fake-faults.ts';
import { createFakeLists } from './fake-lists.ts';
import { createFakePatches } from './fake-patches.ts';
import { createFakeStore } from './fake-store.ts';
import { connectionLost, createFakeWatches } from './fake-watches.ts';
import { matchesFields, matchesLabels } from './label-selector.ts';
import { usualTypes } from './resource-types.ts';

const systemClock: DeliveryClock = {
  now: () => Date.now(),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
};
const writing: ReadonlySet<FakeVerb> = new Set(['create', 'replace', 'patch', 'delete']);

/**
 * An API server for the tests of an operator: versions, uids, generations, status, finalizers, conflicts, merge patch, apply, pages, watches and
 * bookmarks as a real one has them, and on command every fault. It validates nothing and collects no orphans.
 */
export function createFakeApi(options?: FakeApiOptions): FakeApi {
  const kinds = { resourceTypes: listOf(anObject), clock: anObject };
  const given = checkOptions<FakeApiOptions>(options, kinds, { of: 'The options of createFakeApi' });
  const { clock = systemClock } = given;
  const types = [...(given.resourceTypes ?? []), ...usualTypes];
  const calls: FakeCall[] = [];
  const faults = createFakeFaults();
  const lists = createFakeLists();
  const store = createFakeStore(clock, () => watches.wakeAll());
  const watches = createFakeWatches(store, clock);
  const patches = createFakePatches(store);
  let oldest = 0;

  const known = (type: ResourceType, verb: string): ResourceType => {
    const { apiVersion, plural } = type;
    const found = types.find((one) => one.apiVersion === apiVersion && one.plural === plural);
    // As a path that leads nowhere: there is no Status.
    if (found === undefined) throw callFailed({ verb, type }, { status: 404 });
    return found;
  };
  const byKind = (kind: string, apiVersion?: string): ResourceType => {
    const found = types.find((one) => one.kind === kind && (apiVersion ?? one.apiVersion) === one.apiVersion);
    if (found !== undefined) return found;
    throw new Error(`The fake serves no ${apiVersion ?? ''} ${kind}: name it in resourceTypes.`);
  };

  /** Notes the call, and gives the fault that it meets unless that has thrown. */
  const enter = async (call: FakeCall, signal: AbortSignal): Promise<FakeFault | undefined> => {
    calls.push(call);
    const fault = faults.meet(call);
    // As after a round trip.
    await Promise.resolve();
    if (signal.aborted) throw signal.reason;
    if (fault?.kind === 'reset') throw connectionLost(call);
    if (fault?.kind === 'status') throw callFailed({ verb: call.verb, type: call, of: call }, fault);
    if (fault?.kind === 'silence' && call.verb !== 'watch') await aborted(signal);
    return fault;
  };
  const callOf = (verb: FakeVerb, type: ResourceType, of?: Partial<ObjectName>): FakeCall => ({
    verb,
    plural: type.plural,
    ...(of?.namespace === undefined ? {} : { namespace: of.namespace }),
    ...(of?.name === undefined ? {} : { name: of.name }),
  });
  const lacking = (verb: FakeVerb, type: ResourceType, of: ObjectName) =>
    callFailed({ verb, type, of }, { status: 404, reason: 'NotFound' });
  const expired = (verb: FakeVerb, type: ResourceType) =>
    callFailed({ verb, type }, { status: 410, reason: 'Expired' });

  return {
    list: async (given, { signal, limit, continue: token, resourceVersion, ...selection }) => {
      const page = lists.pageOf(token);
      const fault = await enter({ ...callOf('list', given, selection), page }, signal);
      const type = known(given, 'list');
      const selected = (): ApiObject[] => store.all(type).filter(selects(selection));
      const answer =
        token === undefined
          ? lists.first(selected(), String(store.version), resourceVersion === '0' ? undefined : limit)
          : lists.next(token, limit);
      if (answer === undefined) throw expired('list', type);
      const again = fault?.kind === 'same-continue' && token !== undefined ? { continue: token } : {};
      return { ...answer, ...again, items: answer.items.map((one) => structuredClone(shown(one, selection))) };
    },
    watch: (given, options) => {
      async function* run() {
        const call = callOf('watch', given, options);
        const fault = await enter(call, options.signal);
        const type = known(given, 'watch');
        if (Number(options.resourceVersion) < oldest) throw expired('watch', type);
        const show = (object: ApiObject): ApiObject => structuredClone(shown(object, options));
        yield* watches.open(call, type, { ...options, fault, selects: selects(options), show });
      }
      return run();
    },
    get: async (given, of, { signal }) => {
      await enter(callOf('get', given, of), signal);
      return structuredClone(store.find(known(given, 'get'), of));
    },
    create: async (given, object, { signal }) => {
      await enter(callOf('create', given, object.metadata), signal);
      return structuredClone(store.create(known(given, 'create'), object, 'rest'));
    },
    replace: async (given, object, { signal }) => {
      await enter(callOf('replace', given, object.metadata), signal);
      const type = known(given, 'replace');
      const held = store.find(type, object.metadata);
      if (held === undefined) throw lacking('replace', type, object.metadata);
      return structuredClone(store.update(type, held, object, 'rest'));
    },
    patch: async (given, of, body, options) => {
      const { subresource, signal } = options;
      await enter({ ...callOf('patch', given, of), ...(subresource === undefined ? {} : { subresource }) }, signal);
      const type = known(given, 'patch');
      const patched = patches.patch(type, of, body, options);
      if (patched === undefined) throw lacking('patch', type, of);
      return structuredClone(patched);
    },
    delete: async (given, of, { signal, uid }) => {
      await enter(callOf('delete', given, of), signal);
      const type = known(given, 'delete');
      const held = store.find(type, of);
      if (held === undefined) return;
      if (uid !== undefined && uid !== held.metadata.uid)
        throw callFailed({ verb: 'delete', type, of }, { status: 409, reason: 'Conflict' });
      store.remove(type, held);
    },
    resourceTypes: async (apiVersion, { signal }) => {
      await enter({ verb: 'resourceTypes', plural: '' }, signal);
      return types.filter((type) => type.apiVersion === apiVersion);
    },

    calls: (match) => calls.filter((call) => matchesCall(call, match)),
    writes: (match) => calls.filter((call) => writing.has(call.verb) && matchesCall(call, match)),
    clearCalls: () => void calls.splice(0),
    put: (object) => {
      const type = byKind(object.kind ?? '', object.apiVersion);
      const held = store.find(type, object.metadata);
      if (held === undefined) return structuredClone(store.create(type, object, 'all'));
      const { resourceVersion: _, uid: __, ...metadata } = object.metadata;
      return structuredClone(store.update(type, held, { ...object, metadata }, 'all'));
    },
    remove: (kind, of) => {
      const held = store.find(byKind(kind), of);
      if (held !== undefined) store.remove(byKind(kind), held);
    },
    read: (kind, of) => structuredClone(store.find(byKind(kind), of)),
    readAll: (kind) => structuredClone(store.all(byKind(kind))),
    fail: (fault, match) => {
      const { times: _, ...calls } = match ?? {};
      if (fault.kind === 'silence') watches.change(calls, { silent: true });
      if (fault.kind === 'reset') watches.change(calls, { end: connectionLost({ verb: 'watch', plural: 'objects' }) });
      return faults.fail(fault, match);
    },
    heal: () => faults.heal(),
    forgetHistory: () => {
      oldest = store.version;
      lists.forget();
    },
    endWatches: (error) => watches.change({}, { end: error ?? 'in order' }),
    bookmark: () => watches.bookmark(),
    get openWatches() {
      return watches.size;
    },
  };
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    // It rejects with what an abort was given, whatever that is.
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}

function selects({ namespace, labelSelector = '', fieldSelector = '' }: Selection): (object: ApiObject) => boolean {
  return ({ metadata }) =>
    (namespace === undefined || metadata.namespace === namespace) &&
    matchesLabels(labelSelector, metadata.labels) &&
    matchesFields(fieldSelector, { 'metadata.name': metadata.name, 'metadata.namespace': metadata.namespace ?? '' });
}

function shown(object: ApiObject, { metadataOnly }: Selection): ApiObject {
  const { apiVersion, kind, metadata } = object;
  return metadataOnly === true ? ({ apiVersion, kind, metadata } as ApiObject) : object;
}
