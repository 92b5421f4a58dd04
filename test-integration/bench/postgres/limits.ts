import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { formatGvk, type InventorySnapshot } from '@kollect/core';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { connect, createTableSql, benchSchema, rowColumns, type Probe } from './database.ts';
import type { Recorder } from './results.ts';

const heap = `${benchSchema}.limit_heap`;
const keyed = `${benchSchema}.limit_keyed`;
const columns = rowColumns.join(', ');
const chunkBytes = 64 * 1024;

// Only differing rows are touched, as the best client would have it.
const sameKey = ['inventory_namespace', 'inventory_name', 'target_name', 'source_uid']
  .map((name) => `s.${name} = t.${name}`)
  .join(' AND ');
const merge = `
  WITH gone AS (
    DELETE FROM ${keyed} t WHERE NOT EXISTS (SELECT FROM ${heap} s WHERE ${sameKey})
  ), changed AS (
    UPDATE ${keyed} t SET gvk = s.gvk, generation = s.generation, payload = s.payload, exported_at = s.exported_at
    FROM ${heap} s WHERE ${sameKey} AND (t.cluster, t.gvk, t.payload) IS DISTINCT FROM (s.cluster, s.gvk, s.payload)
  )
  INSERT INTO ${keyed} (${columns}) SELECT ${columns} FROM ${heap} s WHERE NOT EXISTS (SELECT FROM ${keyed} t WHERE ${sameKey})`;

/** The rows of a snapshot as COPY takes them, made before anything is measured. */
export function copyChunks(snapshot: InventorySnapshot): Buffer[] {
  const chunks: Buffer[] = [];
  let text = '';
  const flush = (): void => {
    if (text !== '') chunks.push(Buffer.from(text));
    text = '';
  };
  const { inventoryNamespace, inventoryName, cluster = '', generation, exportedAt } = snapshot;
  for (const item of snapshot.items) {
    const json = Buffer.from(item.json)
      .toString('utf8')
      .replaceAll('\\', String.raw`\\`);
    text += `${[inventoryNamespace, inventoryName, item.targetName, item.uid, cluster, formatGvk(item), generation, json, exportedAt].join('\t')}\n`;
    if (text.length > chunkBytes) flush();
  }
  flush();
  return chunks;
}

export interface Limits {
  /** Measures the limits of all states once. */
  play(recorder: Recorder): Promise<void>;
  /** Bytes that a COPY of these rows sends, by state. */
  readonly copyBytes: { readonly full: number; readonly next: number };
  close(): Promise<void>;
}

/** What the database needs at least: COPY into a heap (L0), into the table with its key (L1), a merge from a filled staging table, or a DELETE of all rows (L2). */
export async function createLimits(
  dsn: string,
  probe: Probe,
  snapshots: { readonly full: InventorySnapshot; readonly next: InventorySnapshot },
): Promise<Limits> {
  await probe.run(createTableSql(heap, { key: false }), createTableSql(keyed, { key: true }));
  const client = await connect(dsn);
  const chunks = { full: copyChunks(snapshots.full), next: copyChunks(snapshots.next) };
  const bytesOf = (buffers: readonly Buffer[]): number => buffers.reduce((total, { length }) => total + length, 0);

  return {
    async play(recorder) {
      await probe.run(`TRUNCATE ${heap}, ${keyed}`, 'CHECKPOINT');
      recorder.add('COLD', 'L0', await probe.measure(() => copy(client, heap, chunks.full)));
      recorder.add('COLD', 'L1', await probe.measure(() => copy(client, keyed, chunks.full)));
      await probe.run(`VACUUM ANALYZE ${keyed}`);
      for (const [state, rows] of [
        ['WARM', chunks.full],
        ['DELTA', chunks.next],
      ] as const) {
        await probe.run(`TRUNCATE ${heap}`);
        recorder.add(state, 'L0', await probe.measure(() => copy(client, heap, rows)));
        await probe.run(`ANALYZE ${heap}`);
        recorder.add(state, 'L2', await probe.measure(() => client.query(merge)));
      }
      recorder.add('EMPTIED', 'L2', await probe.measure(() => client.query(`DELETE FROM ${keyed}`)));
    },
    copyBytes: { full: bytesOf(chunks.full), next: bytesOf(chunks.next) },
    close: () => client.end(),
  };
}

async function copy(client: pg.Client, table: string, chunks: readonly Buffer[]): Promise<void> {
  await pipeline(Readable.from(chunks), client.query(copyFrom(`COPY ${table} (${columns}) FROM STDIN`)));
}
