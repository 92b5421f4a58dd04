import { formatScope, type ExportOptions, type ExportPlan, type InventorySnapshot, type ItemKey } from '@kollect/core';
import type { Difference, Differences } from './difference.ts';
import { superseded, unchanged } from './export-results.ts';
import type { Fence } from './fence.ts';
import { rowDigests } from './row-digests.ts';
import type { Session, SessionRunner } from '../wire/session.ts';

interface Planning {
  readonly fence: Fence;
  readonly differences: Differences;
  readonly runner: SessionRunner;
}

const sampleSize = 10;
const noSamples = { inserted: [], updated: [], deleted: [] };

/** What an export would do, found out in a read-only transaction that sees one moment of the store. */
export async function planUpsert(
  { fence, differences, runner }: Planning,
  snapshot: InventorySnapshot,
  { signal }: ExportOptions,
): Promise<ExportPlan> {
  const options = {
    signal,
    operation: 'plan',
    doing: `planning the export of ${formatScope(snapshot)}`,
    readOnly: true,
  } as const;
  return runner.transaction(options, async (session): Promise<ExportPlan> => {
    const { items, checksum, exportedAt } = snapshot;
    const state = await fence.look(session, snapshot, { field: 'exportedAt', time: exportedAt });
    if (state?.newer === true) return { outcome: 'superseded', counts: superseded.counts, samples: noSamples };
    if (state !== undefined && state.checksum === checksum && state.sameStorage && !state.resyncDue) {
      return { outcome: 'unchanged', counts: unchanged(items.length).counts, samples: noSamples };
    }
    return planned(snapshot, await compare(session, snapshot));
  });

  async function compare(session: Session, of: InventorySnapshot): Promise<Difference> {
    return differences.byDigest(session, of, await rowDigests(of.items));
  }
}

function planned({ items }: InventorySnapshot, difference: Difference): ExportPlan {
  const inserted: ItemKey[] = [];
  const updated: ItemKey[] = [];
  for (const index of difference.changed) {
    const item = items[index];
    if (item === undefined) continue;
    const sample = difference.isNew(item) ? inserted : updated;
    if (sample.length < sampleSize) sample.push({ targetName: item.targetName, uid: item.uid });
  }
  const deleted = difference.stale.slice(0, sampleSize).map(({ targetName, uid }) => ({ targetName, uid }));
  const changed = difference.changed.length;
  const counts = {
    inserted: difference.inserted,
    updated: changed - difference.inserted,
    deleted: difference.stale.length,
    unchanged: items.length - changed,
  };
  const outcome = changed + counts.deleted === 0 ? 'unchanged' : 'applied';
  return { outcome, counts, samples: { inserted, updated, deleted } };
}
