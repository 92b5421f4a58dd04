/** Starts the work as soon as there is room; the slot is free again when the promise ends. It never rejects. */
export type SlotWork = () => Promise<void>;

export interface ExportSlots {
  /** Asks for a slot at the sink, which takes `most` at once. Call what it returns to take the request back. */
  request(sink: string, most: number, work: SlotWork): () => void;
  readonly running: number;
  readonly waiting: number;
}

interface SinkQueue {
  running: number;
  most: number;
  /** In the order of their requests: whoever was served asks again behind all others, so a large inventory is served as often as a small one. */
  readonly waiting: Set<SlotWork>;
}

/** Room for so many exports at once, in all and per sink. Sinks take turns, and so do the inventories of a sink. */
export function createExportSlots({ total }: { readonly total: number }): ExportSlots {
  const queues = new Map<string, SinkQueue>();
  const ready = new Set<string>();
  let running = 0;
  let waiting = 0;

  const settle = (sink: string, queue: SinkQueue): void => {
    if (queue.waiting.size > 0 && queue.running < queue.most) ready.add(sink);
    else ready.delete(sink);
    if (queue.waiting.size === 0 && queue.running === 0) queues.delete(sink);
  };

  const start = (sink: string, queue: SinkQueue, work: SlotWork): void => {
    queue.waiting.delete(work);
    waiting -= 1;
    queue.running += 1;
    running += 1;
    // To the end of the line of sinks.
    ready.delete(sink);
    settle(sink, queue);
    void work().finally(() => {
      queue.running -= 1;
      running -= 1;
      settle(sink, queue);
      fill();
    });
  };

  const fill = (): void => {
    while (running < total) {
      const [sink] = ready;
      const queue = sink === undefined ? undefined : queues.get(sink);
      const [work] = queue?.waiting ?? [];
      if (sink === undefined || queue === undefined || work === undefined) return;
      start(sink, queue, work);
    }
  };

  return {
    request: (sink, most, work) => {
      let queue = queues.get(sink);
      if (queue === undefined) queues.set(sink, (queue = { running: 0, most, waiting: new Set() }));
      queue.most = most;
      queue.waiting.add(work);
      waiting += 1;
      settle(sink, queue);
      fill();
      return () => {
        if (!queue.waiting.delete(work)) return;
        waiting -= 1;
        settle(sink, queue);
      };
    },
    get running() {
      return running;
    },
    get waiting() {
      return waiting;
    },
  };
}
