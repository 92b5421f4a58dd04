import type { ApiObject, ObjectName, PatchOptions, ResourceType } from '../api/kubernetes-api.ts';
import type { FakeStore } from './fake-store.ts';
import { applyFields, mergePatch } from './merge.ts';

export interface FakePatches {
  /** Undefined where there is nothing of the name that could be patched. */
  patch(type: ResourceType, of: ObjectName, body: object, options: PatchOptions): ApiObject | undefined;
}

/** Patches of a fake: for apply it knows who said what before. */
export function createFakePatches(store: FakeStore): FakePatches {
  /** By uid, and there by manager. */
  const applied = new Map<string, Map<string, object>>();

  const apply = (held: ApiObject, body: object, { fieldManager, subresource }: PatchOptions): ApiObject => {
    const uid = held.metadata.uid ?? '';
    const managers = applied.get(uid) ?? new Map<string, object>();
    const manager = `${fieldManager} ${subresource ?? ''}`;
    const before = managers.get(manager);
    const others = [...managers].filter(([name]) => name !== manager).map(([, said]) => said);
    applied.set(uid, managers.set(manager, structuredClone(body)));
    return applyFields(held, body, { before, others }) as ApiObject;
  };

  return {
    patch: (type, of, body, options) => {
      const held = store.find(type, of);
      if (held === undefined && (options.type === 'merge' || options.subresource !== undefined)) return undefined;
      if (held === undefined) {
        const created = store.create(type, withName(body, of), 'rest');
        apply(created, body, options);
        return created;
      }
      const next = options.type === 'apply' ? apply(held, body, options) : (mergePatch(held, body) as ApiObject);
      return store.update(type, held, withName(next, of), options.subresource === 'status' ? 'status' : 'rest');
    },
  };
}

function withName(body: object, of: ObjectName): ApiObject {
  const { metadata } = body as { readonly metadata?: object };
  return { ...body, metadata: { ...metadata, ...of } };
}
