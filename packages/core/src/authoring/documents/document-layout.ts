import { createHash } from 'node:crypto';
import type { Scope } from '../../contract/snapshot/snapshot.ts';

/** What tells one part from all others. */
export interface PartPlace {
  readonly partIndex: number;
  readonly partTotal: number;
  /** Of the snapshot that it is written for. */
  readonly exportedAt: string;
  /** Different at each attempt, so that no attempt can touch the files of another. */
  readonly attempt: string;
}

/** Under which keys documents are kept. Two scopes must never share a key. */
export interface DocumentLayout {
  /** The head: what is compared and swapped. */
  headKey(scope: Scope): string;
  /** Absent: the head is the whole document, items included. */
  readonly parts?: {
    key(scope: Scope, place: PartPlace): string;
    /** What the keys of all parts of the scope, and no others, begin with. Absent: nothing is collected, for a store that leaves nothing behind. */
    prefix?(scope: Scope): string;
    /** The `exportedAt` in a key that `key` made, in milliseconds; undefined for a key of somebody else. */
    timeOf?(scope: Scope, key: string): number | undefined;
  };
}

export interface LayoutOptions {
  /** Before every key, as it is. Default `inventory/`. */
  readonly prefix?: string;
}

/** `inventory/<cluster>/<namespace>/<name>.json`: one whole document, which is its own head. */
export function singleDocumentLayout({ prefix = 'inventory/' }: LayoutOptions = {}): DocumentLayout {
  return { headKey: (scope) => `${prefix}${scopePath(scope)}.json` };
}

/** `inventory/<cluster>/<namespace>/<name>/head.json`, with the items in immutable files under `parts/` beside it. */
export function partedDocumentLayout({ prefix = 'inventory/' }: LayoutOptions = {}): DocumentLayout {
  const partsPrefix = (scope: Scope): string => `${prefix}${scopePath(scope)}/parts/`;
  return {
    headKey: (scope) => `${prefix}${scopePath(scope)}/head.json`,
    parts: {
      key: (scope, { partIndex, exportedAt, attempt }) =>
        `${partsPrefix(scope)}${Date.parse(exportedAt)}-${attempt}-${partIndex}.json`,
      prefix: partsPrefix,
      timeOf: (scope, key) => {
        const found = /^(-?\d{1,16})-[0-9a-f]{1,64}-\d{1,10}\.json$/.exec(key.slice(partsPrefix(scope).length));
        return found === null || !key.startsWith(partsPrefix(scope)) ? undefined : Number(found[1]);
      },
    },
  };
}

/** `<cluster>/<namespace>/<name>`, each as `keySegment` writes it; `_` without a cluster. */
export function scopePath({ cluster, inventoryNamespace, inventoryName }: Scope): string {
  const first = cluster === undefined ? '_' : keySegment(cluster);
  return `${first}/${keySegment(inventoryNamespace)}/${keySegment(inventoryName)}`;
}

const maxSegmentLength = 200;
const reserved = /^(?:con|prn|aux|nul|com\d|lpt\d)(?=$|\.)/;

/**
 * A name as one segment of a key or path: different names stay different on every file system, also where case does not count, none is `.`, `..`,
 * hidden, reserved on Windows or longer than 255 bytes, and none begins with `_`.
 */
export function keySegment(name: string): string {
  let segment = name.replaceAll(/[^a-z0-9._-]/gu, percent);
  if (/^[._]/.test(segment) || reserved.test(segment)) segment = percent(segment.charAt(0)) + segment.slice(1);
  if (segment.endsWith('.')) segment = `${segment.slice(0, -1)}%2E`;
  if (segment.length <= maxSegmentLength) return segment === '' ? '%' : segment;
  const digest = createHash('sha256').update(name).digest('hex');
  return `${segment.slice(0, maxSegmentLength - digest.length).replace(/%[0-9A-F]?$/, '')}~${digest}`;
}

function percent(text: string): string {
  return [...Buffer.from(text)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}
