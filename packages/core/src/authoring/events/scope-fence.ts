import { createHash } from 'node:crypto';
import type { InventoryDocument } from '../../contract/document/read-document.ts';
import { createLatestMap } from './latest-map.ts';

/** Why a message brings nothing new. */
export type FenceVerdict = 'duplicate' | 'superseded' | 'unchanged';

/** What the reader remembers of an inventory: some two hundred bytes. */
interface ScopeState {
  /** Nothing older is delivered. */
  readonly time: string;
  /** The last delivered snapshot. */
  readonly snapshot?: { readonly exportedAt: string; readonly checksum: string; readonly content: string };
  readonly removed: boolean;
}

/** Remembers, for each inventory, what was delivered last. */
export interface ScopeFence {
  /** Undefined where the document is news. */
  judge(key: string, document: InventoryDocument): FenceVerdict | undefined;
  /** `removedAt` is undefined for a tombstone that does not say when. */
  judgeRemoval(key: string, removedAt: string | undefined): FenceVerdict | undefined;
  delivered(key: string, document: InventoryDocument): void;
  removed(key: string, removedAt: string | undefined): void;
}

/** Of so many inventories the reader remembers something, the ones heard of last. */
const maxScopes = 250_000;
const longText = 200;

/** Times are RFC 3339 in UTC with milliseconds, which sort as texts. */
export function createScopeFence({ skipUnchanged }: { readonly skipUnchanged: boolean }): ScopeFence {
  const states = createLatestMap<ScopeState>(maxScopes);
  return {
    judge(key, document) {
      const state = states.get(key);
      if (state === undefined) return undefined;
      const { exportedAt, checksum } = document;
      if (exportedAt < state.time) return 'superseded';
      if (exportedAt === state.snapshot?.exportedAt && checksum === state.snapshot.checksum) return 'duplicate';
      return skipUnchanged && !state.removed && contentOf(document) === state.snapshot?.content
        ? 'unchanged'
        : undefined;
    },
    judgeRemoval(key, removedAt) {
      const state = states.get(key);
      if (state === undefined) return undefined;
      if (removedAt !== undefined && removedAt < state.time) return 'superseded';
      return state.removed && (removedAt === undefined || removedAt === state.time) ? 'duplicate' : undefined;
    },
    delivered(key, document) {
      const { exportedAt, checksum } = document;
      states.set(key, {
        time: exportedAt,
        snapshot: { exportedAt, checksum, content: contentOf(document) },
        removed: false,
      });
    },
    removed(key, removedAt) {
      const state = states.get(key);
      states.set(key, { ...state, time: removedAt ?? state?.time ?? '', removed: true });
    },
  };
}

/** Of two parts of one snapshot, and of two snapshots that say the same, this is equal. */
function contentOf({ checksum, generation, incompleteTargets = [] }: InventoryDocument): string {
  return shortened(JSON.stringify([checksum, generation, ...incompleteTargets]));
}

/** A text that is kept for long is short, whatever a message said. */
export function shortened(text: string): string {
  return text.length <= longText ? text : createHash('sha256').update(text).digest('base64');
}
