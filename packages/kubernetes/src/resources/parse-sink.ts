import { SinkError, type SinkConfig, type SinkDefinition, type SinkRegistry, type SpecOf } from '@kollect/core';
import { createSchemaReader } from '@kollect/core/authoring';
import { sinkType } from './resource-types.ts';
import { describeResource, fieldsOf, readHead, type ResourceHead } from './resource-head.ts';
import { sinkSpecSchema } from './sink-schema.ts';

/** `spec` of a KollectSink but for the block of its type, with every default filled in. */
export type SinkResourceSpec = SpecOf<typeof sinkSpecSchema>;

/** A KollectSink that can be used. */
export interface ParsedSink<
  Definitions extends readonly SinkDefinition[] = readonly SinkDefinition[],
> extends ResourceHead {
  readonly spec: SinkResourceSpec;
  /** What the registry and the exporter take. */
  readonly config: SinkConfig<Definitions>;
}

const read = createSchemaReader(sinkSpecSchema, 'spec');

/**
 * A KollectSink as data becomes typed: its block is checked by its type, and every default is filled in. Throws SPEC_INVALID that names the resource
 * and the path of each field.
 */
export function parseSink<const Definitions extends readonly SinkDefinition[]>(
  resource: unknown,
  registry: SinkRegistry<Definitions>,
): ParsedSink<Definitions> {
  const subject = describeResource(sinkType, resource);
  const head = readHead(sinkType, resource);
  const { type, secretRef, ca, delivery, ...blocks } = fieldsOf(fieldsOf(resource)['spec']);
  const { bundle, ...restOfCa } = fieldsOf(ca);
  const isPem = typeof bundle === 'string';
  // Alone of all texts certificates have lines; what else no text may hold is refused in them, too.
  const given = { type, secretRef, ca: isPem ? { ...restOfCa, bundle: inOneLine(bundle) } : ca, delivery };
  const spec = withBundle(read(omitAbsent(given), subject), isPem ? bundle : undefined);
  const config = registry.parse({ ...blocks, type: spec.type }, `${head.namespace}/${head.name}`);
  checkSecret(spec, subject);
  checkCa(spec, subject);
  return { ...head, spec, config };
}

function inOneLine(pem: string): string {
  return pem.replaceAll(/[\r\n\t]/gu, ' ');
}

function withBundle(spec: SinkResourceSpec, bundle: string | undefined): SinkResourceSpec {
  return bundle === undefined ? spec : { ...spec, ca: { ...spec.ca, bundle } };
}

function checkSecret({ secretRef }: SinkResourceSpec, subject: string): void {
  if (secretRef?.preset !== undefined && secretRef.keys !== undefined)
    throw invalid(subject, '$.spec.secretRef: give preset or keys, not both');
}

function checkCa({ ca }: SinkResourceSpec, subject: string): void {
  if (ca !== undefined && Object.keys(ca).length !== 1)
    throw invalid(subject, '$.spec.ca: give one of secretRef, configMapRef and bundle');
}

function invalid(subject: string, problem: string): SinkError {
  return new SinkError('SPEC_INVALID', `${subject} is invalid: ${problem}.`);
}

function omitAbsent(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
