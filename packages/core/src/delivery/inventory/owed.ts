import { unrefTimer, type DeliveryClock } from '../delivery-clock.ts';
import type { Delivery } from '../delivery.ts';

/** The one delivery that is still to be made without another call, and when. A newer one takes its place. */
export interface Owed {
  readonly delivery: Delivery | undefined;
  /** When it will be delivered; undefined where nothing is owed, and where it waits for another event than a time. */
  readonly dueAt: number | undefined;
  /** Without `waitMs` it stays until somebody asks for it. */
  set(delivery: Delivery, waitMs?: number): void;
  drop(): void;
  /** For an exporter that closes: delivers what is owed now, and from here on keeps nothing that would have to wait. */
  finish(): void;
  /** Drops what is owed, and takes nothing any more. */
  end(): void;
}

export interface OwedOptions {
  readonly clock: DeliveryClock;
  /** The time of what is owed has come. */
  readonly onDue: () => void;
}

export function createOwed({ clock, onDue }: OwedOptions): Owed {
  let owed: { readonly delivery: Delivery; readonly dueAt?: number; readonly timer?: unknown } | undefined;
  let state: 'open' | 'finishing' | 'ended' = 'open';

  const drop = (): void => {
    if (owed?.timer !== undefined) clock.clearTimeout(owed.timer);
    owed = undefined;
  };

  return {
    get delivery() {
      return owed?.delivery;
    },
    get dueAt() {
      return owed?.dueAt;
    },
    set: (delivery, waitMs) => {
      drop();
      if (state === 'ended' || (state === 'finishing' && waitMs !== undefined && waitMs > 0)) return;
      if (waitMs === undefined || state === 'finishing') owed = { delivery };
      else owed = { delivery, dueAt: clock.now() + waitMs, timer: unrefTimer(clock, onDue, waitMs) };
      if (waitMs !== undefined && state === 'finishing') onDue();
    },
    drop,
    finish: () => {
      state = 'finishing';
      if (owed !== undefined) onDue();
    },
    end: () => {
      state = 'ended';
      drop();
    },
  };
}
