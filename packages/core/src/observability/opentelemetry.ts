import { SpanKind, SpanStatusCode, trace, type Span, type Tracer, type TracerProvider } from '@opentelemetry/api';
import { checkOptions, objectWith, type OptionKinds } from '../contract/errors/check-options.ts';
import { SinkError } from '../contract/errors/errors.ts';
import type { DeliverySpan, DeliveryTracer, SpanAttributes } from './tracing.ts';

/** One of the two, or neither for the provider that the process registered, also where it does so later. */
export type OpenTelemetryTracerOptions =
  | { readonly tracerProvider?: TracerProvider | undefined; readonly tracer?: undefined }
  | { readonly tracer?: Tracer | undefined; readonly tracerProvider?: undefined };

interface GivenOptions {
  readonly tracerProvider?: TracerProvider | undefined;
  readonly tracer?: Tracer | undefined;
}

const kinds: OptionKinds<GivenOptions> = {
  tracerProvider: objectWith('getTracer'),
  tracer: objectWith('startActiveSpan'),
};
const scopeName = '@kollect/core';
const noSpan: DeliverySpan = { setAttributes: () => undefined };

/** Spans for delivery. Each is the active one while its work runs, so that those of drivers nest below it. A span that cannot be made or ended costs no export. */
export function openTelemetryTracer(options?: OpenTelemetryTracerOptions): DeliveryTracer {
  const of = 'The options of openTelemetryTracer';
  const { tracerProvider, tracer: given } = checkOptions<GivenOptions>(options, kinds, { of });
  if (tracerProvider !== undefined && given !== undefined)
    throw new SinkError('SPEC_INVALID', `${of}: give one of tracerProvider and tracer.`, { operation: 'create' });
  const tracer = given ?? (tracerProvider ?? trace).getTracer(scopeName);
  return {
    withSpan: <T>(name: string, attributes: SpanAttributes, work: (span: DeliverySpan) => Promise<T>): Promise<T> => {
      let running: Promise<T> | undefined;
      const start = (span: Span): Promise<T> => (running = runIn(span, work));
      try {
        return tracer.startActiveSpan(name, { kind: kindOf(name, attributes), attributes: { ...attributes } }, start);
      } catch {
        // The work runs once, whatever a sampler or processor of the host throws.
        return running ?? work(noSpan);
      }
    },
  };
}

async function runIn<T>(span: Span, work: (span: DeliverySpan) => Promise<T>): Promise<T> {
  try {
    return await work({ setAttributes: (attributes) => quietly(() => span.setAttributes({ ...attributes })) });
  } catch (error) {
    // No message and no recordException: stack and cause of a foreign error may hold secrets.
    const type = SinkError.isInstance(error) ? error.code : '_OTHER';
    quietly(() => span.setAttribute('error.type', type).setStatus({ code: SpanStatusCode.ERROR }));
    throw error;
  } finally {
    quietly(() => span.end());
  }
}

/** The span kind that the semantic conventions ask for calls of a database or broker. Only attempts have it: the export around them would be counted as a second call. */
function kindOf(name: string, attributes: SpanAttributes): SpanKind {
  if (name !== 'kollect.attempt') return SpanKind.INTERNAL;
  if ('db.system.name' in attributes) return SpanKind.CLIENT;
  return 'messaging.system' in attributes ? SpanKind.PRODUCER : SpanKind.INTERNAL;
}

function quietly(call: () => unknown): void {
  try {
    call();
  } catch {
    // Tracing costs no export.
  }
}
