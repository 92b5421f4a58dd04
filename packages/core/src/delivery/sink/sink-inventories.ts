/** What the exports of one inventory are told by the sink that they share. */
export interface SinkSubscriber {
  /** Delivers what the open circuit skipped; false where there is nothing any more. */
  wake(): boolean;
  /** Another sink took the old one's place. */
  forget(): void;
}

/** The inventories that are exported to a sink, and those that wait for its circuit. */
export interface SinkInventories {
  add(subscriber: SinkSubscriber): void;
  /** Of an inventory that delivers nothing more. If the circuit waited for it to try the sink, another inventory does. */
  delete(subscriber: SinkSubscriber): void;
  /** The open circuit skipped it: it is woken once the circuit lets it through. */
  skipped(subscriber: SinkSubscriber): void;
  /** The circuit lets one export through. */
  wakeOne(): void;
  wakeAll(): void;
  /** The sink became another one. */
  forgetAll(): void;
}

export interface Circuit {
  readonly closed: boolean;
  /** The next export tries the sink, and none is on its way. */
  readonly awaitsProbe: boolean;
}

export function createSinkInventories(circuit: () => Circuit): SinkInventories {
  const subscribers = new Set<SinkSubscriber>();
  const waiting = new Set<SinkSubscriber>();

  const wakeOne = (): void => {
    for (const subscriber of waiting) {
      waiting.delete(subscriber);
      if (subscriber.wake()) return;
    }
  };

  return {
    add: (subscriber) => void subscribers.add(subscriber),
    delete: (subscriber) => {
      subscribers.delete(subscriber);
      waiting.delete(subscriber);
      // Several may leave at once: the one that is woken must be one that stays.
      queueMicrotask(() => {
        if (circuit().awaitsProbe) wakeOne();
      });
    },
    skipped: (subscriber) => {
      // The circuit may have closed since it was skipped: nothing would wake it any more.
      if (circuit().closed) subscriber.wake();
      else if (subscribers.has(subscriber)) waiting.add(subscriber);
    },
    wakeOne,
    wakeAll: () => {
      const woken = [...waiting];
      waiting.clear();
      for (const subscriber of woken) subscriber.wake();
    },
    forgetAll: () => {
      for (const subscriber of subscribers) subscriber.forget();
    },
  };
}
