/** Starts the work as soon as there is room; the slot is free again when the promise ends. It never rejects. */
export type SlotWork = () => Promise<void>;

export interface Slots {
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

/** The same request, made once the promise resolves. */
export function requestAfter(ready: Promise<unknown> | undefined, request: () => () => void): () => void {
  if (ready === undefined) return request();
  let cancel: (() => void) | undefined;
  let wanted = true;
  void ready.then(() => {
    if (wanted) cancel = request();
  });
  return () => {
    wanted = false;
    cancel?.();
  };
}

export interface SlotsOptions {
  readonly total: number;
  /** How many sinks there are. */
  readonly sinks: () => number;
}

/**
 * Room for so many exports at once, in all and per sink. Sinks take turns, and so do the inventories of a sink. For each sink that runs nothing
 * a slot is kept, in up to half of them: else a few sinks that hang would hold back all others.
 */
export function createSlots({ total, sinks }: SlotsOptions): Slots {
  const queues = new Map<string, SinkQueue>();
  const ready = new Set<string>();
  let running = 0;
  let waiting = 0;
  /** Sinks that run something. */
  let busy = 0;

  const mayStart = ({ running: own }: SinkQueue): boolean => {
    const kept = own === 0 ? 0 : Math.min(Math.max(sinks() - busy, 0), Math.floor(total / 2));
    return total - running > kept;
  };

  const settle = (sink: string, queue: SinkQueue): void => {
    if (queue.waiting.size > 0 && queue.running < queue.most) ready.add(sink);
    else ready.delete(sink);
    if (queue.waiting.size === 0 && queue.running === 0) queues.delete(sink);
  };

  const start = (sink: string, queue: SinkQueue, work: SlotWork): void => {
    queue.waiting.delete(work);
    waiting -= 1;
    if (queue.running === 0) busy += 1;
    queue.running += 1;
    running += 1;
    // Behind the other sinks that have something to do: they take turns.
    ready.delete(sink);
    settle(sink, queue);
    void work().finally(() => {
      queue.running -= 1;
      if (queue.running === 0) busy -= 1;
      running -= 1;
      settle(sink, queue);
      fill();
    });
  };

  const fill = (): void => {
    // A sink that starts one and has more goes to the end of the set, and so is looked at again.
    for (const sink of ready) {
      if (running >= total) return;
      const queue = queues.get(sink);
      const [work] = queue?.waiting ?? [];
      if (queue !== undefined && work !== undefined && mayStart(queue)) start(sink, queue, work);
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
