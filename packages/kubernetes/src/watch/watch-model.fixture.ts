import { ApiError } from '../api/api-error.ts';
import type { ApiObject, ResourceType } from '../api/kubernetes-api.ts';
import { createFakeApi } from '../testing/fake-api.ts';
import type { FakeFault } from '../testing/fake-api-types.ts';
import { manualClock } from '../testing/manual-clock.fixture.ts';
import { createResourceWatch } from './resource-watch.ts';
import type { WatchChange, WatchedObject } from './watch-types.ts';

export type WatchStep =
  | { readonly kind: 'put'; readonly name: number; readonly value: number; readonly selected: boolean }
  | { readonly kind: 'remove' | 'replace'; readonly name: number }
  | {
      readonly kind: 'fail';
      readonly fault: FakeFault;
      readonly verb: 'list' | 'watch' | 'both';
      readonly page: number;
      readonly times: number;
    }
  | { readonly kind: 'end'; readonly how: 'in order' | 'expired' | 'unreadable' | 'thrown' }
  | { readonly kind: 'forget' | 'bookmark' | 'heal' }
  | { readonly kind: 'advance'; readonly ms: number };

const pods: ResourceType = { apiVersion: 'v1', kind: 'Pod', plural: 'pods', namespaced: true };
const endings = {
  'in order': undefined,
  expired: new ApiError('expired', { status: 410, reason: 'Expired' }),
  unreadable: new ApiError('unreadable', { status: 0, reason: 'BadResponse' }),
  thrown: new TypeError('thrown'),
};

/** An API server that fails at random, a watch of it, and a note of what the watch may and may not say. */
export function createWatchModel({ pageSize, initial }: { readonly pageSize: number; readonly initial: number }) {
  const clock = manualClock();
  const api = createFakeApi({ clock });
  const faults: string[] = [];
  /** What the changes that were told add up to. */
  let told = new Map<string, WatchedObject<ApiObject>>();
  /** Objects that were there and seen, or there from the start, and were never gone. */
  const lasting = new Set<string>();
  const gone = new Set<string>();

  const onChange = (change: WatchChange<ApiObject>): void => {
    if (change.kind === 'set') told.set(change.object.uid, change.object);
    else if (change.kind === 'delete') {
      if (!told.delete(change.object.uid)) faults.push(`${change.object.name} was deleted, and was never told of`);
    } else {
      for (const { uid } of change.deleted) told.delete(uid);
      for (const object of change.set) told.set(object.uid, object);
      const all = new Map(change.objects.map((object) => [object.uid, object]));
      if (shown(all.values()) !== shown(told.values())) faults.push('set and deleted are not what replace changed');
      told = all;
    }
  };
  const put = (name: number, value: number, selected: boolean): void => {
    const labels = selected ? { app: 'web' } : { app: 'other' };
    const metadata = { namespace: 'shop', name: `p${String(name)}`, labels };
    api.put({ apiVersion: 'v1', kind: 'Pod', metadata, spec: { value } });
  };
  const selectedNow = (): readonly ApiObject[] =>
    api.readAll('Pod').filter(({ metadata }) => metadata.labels?.['app'] === 'web');
  for (let name = 0; name < initial; name += 1) put(name, 0, true);
  for (const { metadata } of selectedNow()) lasting.add(metadata.uid ?? '');
  const watch = createResourceWatch(api, {
    type: pods,
    selection: { namespace: 'shop', labelSelector: 'app=web' },
    clock,
    pageSize,
    onChange,
  });

  const act = (step: WatchStep): void => {
    const of = { namespace: 'shop', name: `p${String('name' in step ? step.name : 0)}` };
    switch (step.kind) {
      case 'put':
        return put(step.name, step.value, step.selected);
      case 'remove':
        return api.remove('Pod', of);
      case 'replace':
        api.remove('Pod', of);
        return put(step.name, 0, true);
      case 'fail': {
        const { fault, verb, page, times } = step;
        const verbs = verb === 'both' ? (['list', 'watch'] as const) : verb;
        return void api.fail(fault, { verb: verbs, times, ...(verb === 'list' && page > 0 ? { page } : {}) });
      }
      case 'end':
        return api.endWatches(endings[step.how]);
      case 'forget':
        return api.forgetHistory();
      case 'bookmark':
        return api.bookmark();
      case 'heal':
        return api.heal();
      case 'advance':
        return undefined;
    }
  };

  const look = (): void => {
    const here = new Set(selectedNow().map(({ metadata }) => metadata.uid ?? ''));
    for (const uid of lasting) if (!here.has(uid)) gone.add(uid);
    const held = new Set(watch.objects().map(({ uid }) => uid));
    const mustHold = watch.state.synced ? [...lasting].filter((uid) => !gone.has(uid)) : [];
    for (const uid of mustHold) if (!held.has(uid)) faults.push(`${uid} was never deleted and is not held`);
    for (const uid of held) if (here.has(uid)) lasting.add(uid);
    if (!watch.state.synced && held.size > 0) faults.push('something is held before a list was complete');
    if (!watch.state.synced && watch.state.incomplete === undefined) faults.push('complete before a list was');
    if (shown(watch.objects()) !== shown(told.values())) faults.push('what was told is not what is held');
  };

  return {
    faults,
    /** What happens in one step is seen before time goes on. */
    async step(step: WatchStep): Promise<void> {
      act(step);
      look();
      await clock.advance(step.kind === 'advance' ? step.ms : 0);
      look();
    },
    /** All faults end, and time passes: then the watch knows everything. */
    async quiet(): Promise<void> {
      api.heal();
      for (let minute = 0; minute < 8; minute += 1) await clock.advance(60_000);
      look();
      const server = selectedNow().map((object) => [
        object.metadata.uid,
        object.metadata.resourceVersion,
        object['spec'],
      ]);
      const held = watch.objects().map(({ uid, resourceVersion, object }) => [uid, resourceVersion, object['spec']]);
      const text = (list: unknown[]): string => JSON.stringify(list.map((one) => JSON.stringify(one)).sort());
      if (text(server) !== text(held)) faults.push(`the server has ${text(server)}, the watch ${text(held)}`);
      const { synced, incomplete } = watch.state;
      if (!synced || incomplete !== undefined) faults.push(`after all faults it is ${incomplete ?? 'not synced'}`);
    },
    async close(): Promise<void> {
      await watch.close();
      if (clock.timers + api.openWatches > 0) faults.push('a timer or a watch is left');
    },
  };
}

function shown(objects: Iterable<WatchedObject<ApiObject>>): string {
  return [...objects]
    .map(({ uid, resourceVersion }) => `${uid} ${resourceVersion}`)
    .sort()
    .join();
}
