import { SinkError } from '../../contract/errors/errors.ts';
import { formatScope } from '../../contract/snapshot/scope.ts';
import type { DeliveryTracer, SpanAttributes } from '../../observability/tracing.ts';
import type { Delivery, Station } from '../delivery.ts';

export interface TraceOptions {
  readonly next: Station;
  readonly tracer: DeliveryTracer | undefined;
  readonly spanName: (delivery: Delivery) => string;
  /** Asked at every delivery: the sink may become one of another type. */
  readonly attributes: () => SpanAttributes;
}

/** A span around each delivery. Without a tracer the next station itself. */
export function createTrace({ next, tracer, spanName, attributes }: TraceOptions): Station {
  if (tracer === undefined) return next;
  return {
    deliver: (delivery) =>
      tracer.withSpan(
        spanName(delivery),
        { ...attributes(), 'kollect.inventory': formatScope(delivery.scope) },
        async (span) => {
          try {
            const result = await next.deliver(delivery);
            span.setAttributes({
              'kollect.outcome': result.outcome,
              ...('error' in result && result.error !== undefined ? { 'error.type': result.error.code } : {}),
            });
            return result;
          } catch (error) {
            span.setAttributes({ 'kollect.outcome': 'failed', 'error.type': SinkError.from(error).code });
            throw error;
          }
        },
      ),
  };
}

/** What spans say of a sink: what its type says of itself, and whose it is. */
export function sinkAttributes(name: string, type: string, ofType: SpanAttributes = {}): SpanAttributes {
  return { ...ofType, 'kollect.sink.name': name, 'kollect.sink.type': type };
}
