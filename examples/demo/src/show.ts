import { formatScope, type InventorySnapshot, type SinkDeliveryReport } from '@kollect/core';
import type { InventoryEvent } from '@kollect/sink-kafka';
import { formatTable } from './print-table.ts';
import type { Row } from './store.ts';
import { count, duration } from './terminal.ts';

const shownKinds = 12;
const shownRows = 14;
const shownChanges = 10;
const shownEvents = 5;

/** `applied in 41 ms: 183 inserted, 0 updated, 0 deleted, 0 unchanged (91 kB sent)`. */
export function showReport({ outcome, counts, bytes, messages, sinkType, writeMs, error }: SinkDeliveryReport): string {
  const { inserted, updated, deleted, unchanged } = counts;
  switch (outcome) {
    case 'applied':
      if (sinkType === 'kafka' || sinkType === 'nats')
        return `applied in ${duration(writeMs)}: ${count(messages, 'message')} (${size(bytes)})`;
      return `applied in ${duration(writeMs)}: ${inserted} inserted, ${updated} updated, ${deleted} deleted, ${unchanged} unchanged (${size(bytes)} sent)`;
    case 'unchanged':
      return `unchanged in ${duration(writeMs)}: ${count(unchanged, 'row')} as they should be, nothing sent`;
    case 'superseded':
      return 'superseded: a newer snapshot was there before, nothing was written';
    case 'debounced':
      return 'debounced: the same as before, and the sink was not even asked';
    default:
      return error === undefined ? outcome : `${outcome}: ${error.code}`;
  }
}

/** What a topic says to a consumer, newest last. */
export function showEvents(events: readonly InventoryEvent[], width: number): string {
  const snapshots = events.filter((event) => event.type === 'snapshot');
  const shown = snapshots.slice(-shownEvents).map(({ position, document }) => {
    const place = position === undefined ? '' : `${position.partition}/${position.offset}`;
    return [
      place,
      formatScope(document),
      String(document.generation),
      document.checksum.slice(0, 12),
      String(document.itemCount),
    ];
  });
  const headings = ['partition/offset', 'inventory', 'generation', 'checksum', 'items'];
  return formatTable(
    headings.map((heading) => ({ heading })),
    shown,
    width,
  );
}

const size = (bytes: number): string => (bytes < 10_000 ? `${bytes} bytes` : `${Math.round(bytes / 1000)} kB`);

/** Which snapshot this is: enough of its checksum to tell two apart. */
export function showSnapshot({ items, itemsByteLength, checksum }: InventorySnapshot): string {
  return `${count(items.length, 'item')}, ${size(itemsByteLength)} of canonical JSON, checksum ${checksum.slice(0, 12)}…`;
}

/** The kinds with the most rows, and the sum of the others. */
export function showKinds(rows: readonly Row[], width: number): string {
  const counts = new Map<string, number>();
  for (const { gvk } of rows) counts.set(gvk, (counts.get(gvk) ?? 0) + 1);
  const kinds = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const shown = kinds.slice(0, shownKinds).map(([gvk, number]) => [gvk, String(number)]);
  const others = kinds.slice(shownKinds);
  if (others.length > 0)
    shown.push([`… and ${others.length} more kinds`, String(others.reduce((sum, [, number]) => sum + number, 0))]);
  return formatTable([{ heading: 'gvk' }, { heading: 'rows', align: 'right' }], shown, width);
}

const telling = [
  'displayName',
  'replicas',
  'motto',
  'images',
  'hosts',
  'ports',
  'schedule',
  'storage',
  'health',
  'locale',
  'type',
];

/** Of each kind the row that has most to tell. */
export function showRows(rows: readonly Row[], width: number): string {
  const best = new Map<string, Row>();
  for (const row of rows) {
    const known = best.get(row.gvk);
    if (known === undefined || weight(row) > weight(known)) best.set(row.gvk, row);
  }
  const interesting = [...best.values()].filter((row) => weight(row) > 0);
  const shown = (interesting.length > 0 ? interesting : [...best.values()]).slice(0, shownRows);
  const columns = [
    { heading: 'gvk' },
    { heading: 'namespace' },
    { heading: 'name' },
    { heading: "payload -> 'attributes'" },
  ];
  return formatTable(
    columns,
    shown.map(({ gvk, namespace, name, attributes }) => [gvk, namespace, name, summary(attributes)]),
    width,
  );
}

const weight = ({ attributes }: Row): number => telling.filter((name) => name in attributes).length;

function summary(attributes: Row['attributes']): string {
  const known = telling.filter((name) => name in attributes);
  const others = Object.keys(attributes)
    .filter((name) => !telling.includes(name))
    .sort();
  return [...known, ...others].map((name) => `${name}: ${JSON.stringify(attributes[name])}`).join(', ');
}

/** What two readings of the table differ in, one line each: the proof that the counts of an export are true. */
export function showChanges(before: readonly Row[], after: readonly Row[]): string {
  const old = new Map(before.map((row) => [row.uid, row]));
  const still = new Set(after.map(({ uid }) => uid));
  const changes = [
    ...after.filter(({ uid }) => !old.has(uid)).map((row) => ['+ inserted', row, ''] as const),
    ...after.flatMap((row) => {
      const previous = old.get(row.uid);
      return previous === undefined || Number(previous.changedAt) === Number(row.changedAt)
        ? []
        : [['~ updated', row, difference(previous, row)] as const];
    }),
    ...before.filter(({ uid }) => !still.has(uid)).map((row) => ['- deleted', row, ''] as const),
  ];
  const lines = changes
    .slice(0, shownChanges)
    .map(([what, { gvk, namespace, name, uid }, detail]) =>
      [what.padEnd(10), gvk, namespace === '' ? name : `${namespace}/${name}`, `key ${uid}`, detail]
        .join('  ')
        .trimEnd(),
    );
  if (changes.length > shownChanges) lines.push(`… and ${changes.length - shownChanges} more`);
  return lines.join('\n');
}

function difference(previous: Row, row: Row): string {
  const names = new Set([...Object.keys(previous.attributes), ...Object.keys(row.attributes)]);
  const text = (value: unknown): string => JSON.stringify(value) ?? 'absent';
  return [...names]
    .filter((name) => text(previous.attributes[name]) !== text(row.attributes[name]))
    .map((name) => `${name} ${text(previous.attributes[name])} → ${text(row.attributes[name])}`)
    .join(', ');
}
