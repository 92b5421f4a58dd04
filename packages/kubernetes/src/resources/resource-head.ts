import { SinkError } from '@kollect/core';
import { showText, showValue } from '@kollect/core/authoring';
import type { ResourceType } from '../api/kubernetes-api.ts';

/** What every resource of ours says of itself. */
export interface ResourceHead {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
  readonly resourceVersion: string;
  /** RFC 3339, in whole seconds; absent while nobody deletes it. */
  readonly deletionTimestamp?: string;
  readonly finalizers: readonly string[];
}

const longestName = 253;

/** `KollectSink shop/portal`, for messages; never throws, whatever the object is. */
export function describeResource({ kind }: Pick<ResourceType, 'kind'>, object: unknown): string {
  const { namespace, name } = fieldsOf(fieldsOf(object)['metadata']);
  return typeof namespace === 'string' && typeof name === 'string' && `${namespace}${name}`.length <= 2 * longestName
    ? `${kind} ${showText(`${namespace}/${name}`)}`
    : `A ${kind}`;
}

/** Reads `metadata`. Throws SPEC_INVALID. */
export function readHead(type: Pick<ResourceType, 'kind'>, object: unknown): ResourceHead {
  const subject = describeResource(type, object);
  const metadata = fieldsOf(fieldsOf(object)['metadata']);
  const text = (field: string): string => {
    const value = metadata[field];
    if (typeof value === 'string' && value !== '' && value.length <= longestName) return value;
    throw invalid(subject, field, 'a text, as the API server gives it', value);
  };
  const { generation = 0, deletionTimestamp, finalizers = [] } = metadata;
  if (!Number.isSafeInteger(generation) || Number(generation) < 0)
    throw invalid(subject, 'generation', 'a whole number, 0 or more', generation);
  if (deletionTimestamp !== undefined && !isTime(deletionTimestamp))
    throw invalid(subject, 'deletionTimestamp', 'a time such as 2026-01-31T12:00:00Z', deletionTimestamp);
  if (!Array.isArray(finalizers) || finalizers.some((each) => typeof each !== 'string'))
    throw invalid(subject, 'finalizers', 'a list of texts', finalizers);
  return {
    namespace: text('namespace'),
    name: text('name'),
    uid: text('uid'),
    generation: Number(generation),
    resourceVersion: text('resourceVersion'),
    ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    finalizers: [...(finalizers as readonly string[])],
  };
}

/** The fields of an object; none of anything else, nor of what cannot be read. */
export function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : {};
}

function isTime(value: unknown): value is string {
  return typeof value === 'string' && value.length <= 64 && !Number.isNaN(Date.parse(value));
}

function invalid(subject: string, field: string, expected: string, found: unknown): SinkError {
  return new SinkError(
    'SPEC_INVALID',
    `${subject} is invalid: $.metadata.${field}: expected ${expected}, found ${showValue(found, { secret: false })}.`,
  );
}
