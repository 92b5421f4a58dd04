import { SinkError, type JsonValue } from '@kollect/core';
import { goodRules, none } from './table-sink.fixture.ts';
import type { BrokenSink } from './broken-sink.fixture.ts';

type Attributes = { readonly [key: string]: JsonValue };

/** A row whose attributes went through `change`, as through a column of the wrong type. */
function storing(change: (attributes: Attributes) => unknown): NonNullable<BrokenSink['rules']> {
  return () => ({ row: (item) => ({ ...goodRules.row(item), attributes: change(item.attributes) as Attributes }) });
}

function mapValues(attributes: Attributes, change: (value: JsonValue) => unknown): unknown {
  return Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, change(value)]));
}

function throughText(change: (json: string) => string): NonNullable<BrokenSink['rules']> {
  return storing((attributes) => JSON.parse(change(JSON.stringify(attributes))) as unknown);
}

/** Copied by assignment, as a naive deep copy does. */
function naiveCopy(value: JsonValue): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const copy: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) copy[key] = naiveCopy(member);
  return copy;
}

function cutAt(value: JsonValue, depth: number): JsonValue {
  if (typeof value !== 'object' || value === null) return value;
  if (depth === 0) return null;
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map((member) => cutAt(member, depth - 1));
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, cutAt(member, depth - 1)]));
}

export const brokenContent: readonly BrokenSink[] = [
  {
    what: 'names a role that nobody knows',
    fails: 'the definition names its type, contract version, role and capabilities',
    definition: { role: 'database' as 'relational-store' },
  },
  {
    what: 'claims a plan that it does not have',
    fails: 'a sink has the methods that its capabilities claim, and no others',
    wrap: ({ plan: _plan, ...sink }) => sink,
  },
  {
    what: 'takes any field in its spec',
    fails: 'the spec refuses a field that it does not know, naming it',
    definition: { parseSpec: (block) => block },
  },
  {
    what: 'refuses an unknown field without naming it',
    fails: 'the spec refuses a field that it does not know, naming it',
    definition: {
      parseSpec: () => {
        throw new SinkError('SPEC_INVALID', 'The spec is invalid.');
      },
    },
  },
  {
    what: 'leaves a field of its spec without description',
    fails: 'the spec schema describes every field and closes every object that lists its fields',
    definition: {
      specSchema: {
        type: 'object',
        properties: { table: { type: 'string', description: '' } },
        additionalProperties: false,
      },
    },
  },
  {
    what: 'forgets the namespace of the target',
    fails: 'the store equals the snapshot, in every field of every item',
    rules: () => ({ row: (item) => ({ ...goodRules.row(item), targetNamespace: '' }) }),
  },
  {
    what: 'refuses an empty snapshot',
    fails: 'an empty snapshot is an export like any other',
    says: /nothing to export/,
    wrap: (sink) => ({
      ...sink,
      export: async (snapshot, options) => {
        if (snapshot.items.length === 0) throw new SinkError('SNAPSHOT_INVALID', 'There is nothing to export.');
        return sink.export(snapshot, options);
      },
    }),
  },
  {
    what: 'keys its rows by UID alone',
    fails: 'one object that two targets collected is held once for each',
    rules: () => ({ itemKey: ({ uid }) => uid }),
  },
  ...[(uid: string) => uid.toLowerCase(), (uid: string) => uid.normalize(), (uid: string) => uid.trim()].map(
    (fold) => ({
      what: `keys its rows by a collation that folds UIDs: ${fold.toString()}`,
      fails: 'items whose UIDs differ in case, in Unicode form or in a trailing space alone are different items',
      rules: () => ({
        itemKey: ({ targetName, uid }: { targetName: string; uid: string }) => `${targetName}/${fold(uid)}`,
      }),
    }),
  ),
  {
    what: 'puts cluster-scoped objects into the namespace default',
    fails: 'cluster-scoped objects, the core group and empty attributes are held as they are',
    rules: () => ({
      row: (item) => {
        const row = goodRules.row(item);
        return { ...row, namespace: row.namespace === '' ? 'default' : row.namespace };
      },
    }),
  },
  {
    what: 'sends the first batch of 1 000 alone',
    fails: '2 000 items arrive',
    wrap: (sink) => ({
      ...sink,
      export: async (snapshot, options) => sink.export({ ...snapshot, items: snapshot.items.slice(0, 1000) }, options),
    }),
  },
  {
    what: 'cuts long texts',
    fails: 'an item of 1 MiB arrives whole, or is refused with PAYLOAD_TOO_LARGE and nothing is written',
    rules: storing((attributes) =>
      mapValues(attributes, (value) => (typeof value === 'string' ? value.slice(0, 65_535) : value)),
    ),
  },
  {
    what: 'writes the small items before it refuses the large one',
    fails: 'an item of 1 MiB arrives whole, or is refused with PAYLOAD_TOO_LARGE and nothing is written',
    wrap: (sink) => ({
      ...sink,
      export: async (snapshot, options) => {
        await sink.export({ ...snapshot, items: snapshot.items.slice(0, 2) }, options);
        throw new SinkError('PAYLOAD_TOO_LARGE', 'The item is too large.');
      },
    }),
  },
  {
    what: 'reuses the memory of the snapshot',
    fails: 'a sink leaves the snapshot as it was',
    wrap: (sink) => ({
      ...sink,
      export: async (snapshot, options) => {
        const result = await sink.export(snapshot, options);
        const [item] = snapshot.items;
        if (item !== undefined) item.json[Buffer.from(item.json).indexOf('kind')] = 75;
        return result;
      },
    }),
  },
  {
    what: 'stores Latin-1',
    fails: 'attributes come back as they went in: texts in any script',
    rules: throughText((json) => json.replaceAll(/[^ -ÿ]/gu, '?')),
  },
  {
    what: 'drops control characters',
    fails: 'attributes come back as they went in: texts that mean something to a store',
    rules: throughText((json) => json.replaceAll(/\\u00[01]./g, '')),
  },
  {
    what: 'copies objects by assignment',
    fails: 'attributes come back as they went in: keys that mean something to JavaScript',
    rules: storing(naiveCopy),
  },
  {
    what: 'stores single-precision numbers',
    fails: 'attributes come back as they went in: numbers',
    rules: storing((attributes) =>
      mapValues(attributes, (value) => (Array.isArray(value) ? value.map(Number).map(Math.fround) : value)),
    ),
  },
  {
    what: 'takes null for absent',
    fails: 'attributes come back as they went in: values that are almost nothing',
    rules: storing((attributes) =>
      Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== null)),
    ),
  },
  {
    what: 'cuts what is deeper than 100 levels',
    fails: 'attributes come back as they went in: objects and lists 200 levels deep',
    rules: storing((attributes) => cutAt(attributes, 100)),
  },
  {
    what: 'has 255 columns',
    fails: 'attributes come back as they went in: a thousand keys',
    rules: storing((attributes) => Object.fromEntries(Object.entries(attributes).slice(0, 255))),
  },
  {
    what: 'counts in fractions',
    fails: 'the store equals the snapshot, in every field of every item',
    wrap: (sink) => ({
      ...sink,
      export: async (...given) => ({ ...(await sink.export(...given)), bytes: Number.NaN }),
    }),
  },
  {
    what: 'says unchanged and counts what it wrote',
    fails: 'the store equals the snapshot, in every field of every item',
    wrap: (sink) => ({
      ...sink,
      export: async (...given) => ({
        ...(await sink.export(...given)),
        outcome: 'unchanged',
        counts: { ...none, inserted: 40 },
      }),
    }),
  },
];
