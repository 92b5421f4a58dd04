import type { SpanAttributes } from '../contract/sink.ts';

export type { SpanAttributes } from '../contract/sink.ts';

/** A span that is open; what a call throws is dropped. */
export interface DeliverySpan {
  setAttributes(attributes: SpanAttributes): void;
}

/** Where delivery tells its spans: one per export and sink, one per attempt within. `@kollect/core/opentelemetry` implements it. */
export interface DeliveryTracer {
  /** Runs the work in a span that ends with it; a rejection marks it failed with the error's code, and passes through. */
  withSpan<T>(name: string, attributes: SpanAttributes, work: (span: DeliverySpan) => Promise<T>): Promise<T>;
}
