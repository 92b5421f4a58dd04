import { setTimeout as sleep } from 'node:timers/promises';
import {
  ApiError,
  type ApiObject,
  type KubernetesApi,
  type ObjectName,
  type ResourceType,
  type Selection,
} from '@kollect/kubernetes';
import { postgresSpec } from '../../packages/kubernetes/src/resources/resources.fixture.ts';

/** Where a test of one API server takes place. */
export interface Place {
  readonly api: KubernetesApi;
  readonly namespace: string;
  /** The server forgets what was. */
  forget(): Promise<unknown>;
}

const type: ResourceType = {
  apiVersion: 'kollect.dev/v1alpha1',
  kind: 'KollectSink',
  plural: 'kollectsinks',
  namespaced: true,
};
const secrets: ResourceType = { apiVersion: 'v1', kind: 'Secret', plural: 'secrets', namespaced: true };
const signal = AbortSignal.timeout(120_000);
const merge = { type: 'merge', fieldManager: 'test', signal } as const;
const apply = { type: 'apply', signal } as const;
const status = { ...apply, subresource: 'status' } as const;
const other = { ...postgresSpec, postgres: { ...postgresSpec.postgres, table: 'others' } };
const condition = (kind: string, value: string) => ({
  type: kind,
  status: value,
  reason: 'Tested',
  message: '',
  lastTransitionTime: '2026-01-31T12:00:00Z',
});

/** What is the same on every server. */
function shown(object: ApiObject | undefined): unknown {
  if (object === undefined) return 'none';
  const { metadata, spec, status: held } = object;
  const { generation, labels, finalizers, deletionTimestamp } = metadata;
  const { table } = Object((spec as { postgres?: object } | undefined)?.postgres) as { readonly table?: string };
  const { conditions } = Object(held) as { readonly conditions?: readonly { type: string; status: string }[] };
  return {
    kind: object.kind,
    generation,
    labels,
    finalizers,
    deleting: deletionTimestamp !== undefined,
    table,
    conditions: conditions?.map((one) => `${one.type} ${one.status}`),
  };
}

const failure = (error: unknown): string => {
  if (!(error instanceof ApiError)) throw error;
  return `${String(error.status)} ${error.reason ?? ''}`.trim();
};

/** Everything that an operator asks of a server, in one order; gives what came of it. */
export async function askEverything({ api, namespace, forget }: Place): Promise<readonly unknown[]> {
  const outcomes: unknown[] = [];
  const of: ObjectName = { namespace, name: 'a' };
  const sink = (name: string, metadata: object = {}): ApiObject => ({
    apiVersion: type.apiVersion,
    kind: type.kind,
    metadata: { namespace, name, ...metadata },
    spec: postgresSpec,
  });
  const note = async (what: string, call: Promise<ApiObject | undefined>): Promise<ApiObject | undefined> => {
    const outcome = await call.catch(failure);
    outcomes.push([what, typeof outcome === 'string' ? outcome : shown(outcome)]);
    return typeof outcome === 'string' ? undefined : outcome;
  };
  const names = async (selection: Selection): Promise<void> => {
    const { items } = await api.list(type, { signal, namespace, ...selection });
    outcomes.push([selection, items.map(({ metadata }) => metadata.name)]);
  };
  const versionOf = (object: ApiObject | undefined): string => object?.metadata.resourceVersion ?? '';

  await note('get nothing', api.get(type, of, { signal }));
  await note('patch nothing', api.patch(type, of, { spec: {} }, merge));
  const first = await note('create', api.create(type, { ...sink('a'), status: { conditions: [] } }, { signal }));
  await note('create again', api.create(type, sink('a'), { signal }));
  const second = await note('merge', api.patch(type, of, { spec: other }, merge));
  const same = await note('merge the same', api.patch(type, of, { spec: other }, merge));
  outcomes.push(['no new version', versionOf(same) === versionOf(second)]);
  await note('replace an old one', api.replace(type, first ?? sink('a'), { signal }));
  await note('replace', api.replace(type, { ...(second ?? sink('a')), spec: postgresSpec }, { signal }));
  const old = { metadata: { labels: { a: 'b' }, resourceVersion: versionOf(first) } };
  await note('merge into an old one', api.patch(type, of, old, merge));

  const body = (...conditions: object[]) => ({ apiVersion: type.apiVersion, kind: type.kind, status: { conditions } });
  const ours = { ...status, fieldManager: 'ours' };
  await note('status', api.patch(type, of, body(condition('Ready', 'True'), condition('Old', 'True')), ours));
  const theirs = { ...status, fieldManager: 'theirs' };
  await note('status of others', api.patch(type, of, body(condition('Theirs', 'True')), theirs));
  await note('status again', api.patch(type, of, body(condition('Ready', 'False')), ours));
  await note(
    'status by merge',
    api.patch(type, of, { status: { observedGeneration: 2 }, spec: other }, { ...merge, subresource: 'status' }),
  );
  await note('merge of status', api.patch(type, of, { status: { conditions: [] } }, merge));
  const applied = { ...apply, fieldManager: 'user' };
  await note(
    'apply',
    api.patch(
      type,
      { ...of, name: 'applied' },
      { ...body(), metadata: { labels: { a: 'b', c: 'd' } }, spec: postgresSpec },
      applied,
    ),
  );
  await note(
    'apply less',
    api.patch(type, { ...of, name: 'applied' }, { ...body(), metadata: { labels: { a: 'b' } }, spec: other }, applied),
  );
  await note('no status of nothing', api.patch(type, { ...of, name: 'none' }, body(), ours));

  await note('finalizers', api.patch(type, of, { metadata: { finalizers: ['kollect.dev/test'] } }, merge));
  const gone = (uid?: string) =>
    api.delete(type, of, { signal, ...(uid === undefined ? {} : { uid }) }).then(() => undefined);
  await note('delete another', gone('11111111-1111-1111-1111-111111111111'));
  await note('delete', gone(first?.metadata.uid));
  await note('delete again', gone());
  await note('deleting', api.get(type, of, { signal }));
  await note('let go', api.patch(type, of, { metadata: { finalizers: null } }, merge));
  await note('gone', api.get(type, of, { signal }));
  await note('delete nothing', gone());

  for (const name of ['c', 'b', 'e', 'd'])
    await api.create(type, sink(name, { labels: { is: name, app: 'web' } }), { signal });
  await names({ labelSelector: 'app=web' });
  await names({ labelSelector: 'is in (b, c)' });
  await names({ labelSelector: 'is notin (b, c)' });
  await names({ labelSelector: '!is' });
  await names({ fieldSelector: 'metadata.name=d' });
  const page = await api.list(type, { signal, namespace, limit: 3 });
  await api.delete(type, { namespace, name: 'e' }, { signal });
  const rest = await api.list(type, { signal, namespace, limit: 3, continue: page.continue ?? '' });
  outcomes.push(['pages', [...page.items, ...rest.items].map(({ metadata }) => metadata.name)]);
  outcomes.push(['one time', page.resourceVersion === rest.resourceVersion, rest.continue]);
  const bare = await api.list(type, { signal, namespace, metadataOnly: true });
  outcomes.push(['metadata', bare.items.map((one) => [one.kind, 'spec' in one, one.metadata.labels])]);

  const from = bare.resourceVersion;
  await api.patch(type, { namespace, name: 'b' }, { spec: other }, merge);
  await api.patch(type, { namespace, name: 'b' }, { metadata: { labels: { app: 'none' } } }, merge);
  await api.patch(type, { namespace, name: 'b' }, { metadata: { labels: { app: 'web' } } }, merge);
  await api.delete(type, { namespace, name: 'c' }, { signal });
  await api.create(type, sink('c', { labels: { app: 'web' } }), { signal });
  await api.create(secrets, { metadata: { namespace, name: 'x' } }, { signal });
  for (const selection of [{}, { labelSelector: 'app=web' }, { metadataOnly: true }])
    outcomes.push([selection, await eventsOf(api, { namespace, ...selection }, from, 5)]);

  await forget();
  outcomes.push(['a version that was forgotten', await watchPatiently({ api, namespace, from: page.resourceVersion })]);
  const late = api.list(type, { signal, namespace, continue: page.continue ?? '' });
  outcomes.push(['a page that was forgotten', await late.then(() => 'a page', failure)]);

  const types = await api.resourceTypes(type.apiVersion, { signal });
  outcomes.push(['types', types.map(({ kind, namespaced }) => `${kind} ${String(namespaced)}`).sort()]);
  outcomes.push(['no types', await api.resourceTypes('example.dev/v1', { signal })]);
  const unknown = { ...type, plural: 'widgets' };
  outcomes.push(['an unknown type', await api.list(unknown, { signal }).then(() => 'a list', failure)]);
  return outcomes;
}

async function eventsOf(
  api: KubernetesApi,
  selection: Selection,
  from: string,
  count: number,
): Promise<readonly unknown[]> {
  const events: unknown[] = [];
  const end = new AbortController();
  const options = { ...selection, resourceVersion: from, timeoutSeconds: 20, signal: end.signal };
  for await (const { type: event, object } of api.watch(type, options)) {
    if (event === 'BOOKMARK') continue;
    events.push([event, object.kind, object.metadata.name, object.metadata.labels, 'spec' in object]);
    if (events.length >= count) break;
  }
  end.abort();
  return events;
}

/** A server that has just started may ask for a moment. */
async function watchPatiently({ api, namespace, from }: Omit<Place, 'forget'> & { readonly from: string }) {
  for (;;) {
    const outcome = await eventsOf(api, { namespace }, from, 1).catch(failure);
    if (typeof outcome !== 'string' || !outcome.startsWith('429')) return outcome;
    await sleep(100);
  }
}
