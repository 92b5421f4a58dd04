/** Where something waits in a partition; what stands in the heap is taken out again by its entry. */
export interface HeapEntry {
  readonly offset: bigint;
  index: number;
}

/** Knows the least of offsets that come and go in any order. */
export interface OffsetHeap {
  add(offset: bigint): HeapEntry;
  remove(entry: HeapEntry): void;
  least(): bigint | undefined;
}

/** A binary heap whose entries know their place, so that each step takes logarithmic time. */
export function createOffsetHeap(): OffsetHeap {
  const entries: HeapEntry[] = [];

  const put = (entry: HeapEntry, index: number): void => {
    entry.index = index;
    entries[index] = entry;
  };
  const rise = (entry: HeapEntry, from: number): void => {
    let index = from;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = entries[above];
      if (parent === undefined || parent.offset <= entry.offset) break;
      put(parent, index);
      index = above;
    }
    put(entry, index);
  };
  const sink = (entry: HeapEntry, from: number): void => {
    let index = from;
    for (;;) {
      const [left, right] = [entries[2 * index + 1], entries[2 * index + 2]];
      const lesser = right !== undefined && left !== undefined && right.offset < left.offset ? right : left;
      if (lesser === undefined || lesser.offset >= entry.offset) break;
      const next = lesser.index;
      put(lesser, index);
      index = next;
    }
    put(entry, index);
  };

  return {
    add(offset) {
      const entry = { offset, index: entries.length };
      entries.push(entry);
      rise(entry, entry.index);
      return entry;
    },
    remove(entry) {
      const last = entries.pop();
      if (last === undefined || last === entry) return;
      sink(last, entry.index);
      rise(last, last.index);
    },
    least: () => entries[0]?.offset,
  };
}
