import type { DeliveryMetrics } from '../../observability/metrics.ts';
import type { Station } from '../delivery.ts';
import type { DeliveryClock } from '../delivery-clock.ts';

export interface MeasureOptions {
  readonly next: Station;
  readonly sinkType: string;
  readonly clock: DeliveryClock;
  readonly metrics: Pick<DeliveryMetrics, 'inFlightChanged'>;
}

/** Notes when a delivery began to write and when it ended, and how many do. */
export function createMeasure({ next, sinkType, clock, metrics }: MeasureOptions): Station {
  return {
    deliver: async (delivery) => {
      const { progress } = delivery;
      progress.startedAt = clock.now();
      metrics.inFlightChanged({ sinkType, delta: 1 });
      try {
        return await next.deliver(delivery);
      } finally {
        progress.endedAt = clock.now();
        metrics.inFlightChanged({ sinkType, delta: -1 });
      }
    },
  };
}
