import { SinkError } from '../contract/errors/errors.ts';
import type { CredentialField } from '../contract/sink.ts';
import type { SinkDefinition } from './define-sink.ts';
import { durationPattern } from './duration.ts';

/** JSON Schema of a sink type's own block, draft 2020-12, for those who write CRDs and check files; `x-kollect` says what is no part of the spec. */
export interface SinkJsonSchema {
  readonly $schema: 'https://json-schema.org/draft/2020-12/schema';
  readonly title: string;
  readonly 'x-kollect': {
    readonly type: string;
    readonly role: string;
    readonly contractVersion: number;
    readonly capabilities: SinkDefinition['capabilities'];
    /** What the sink reads from its credentials, which never stand in the spec. */
    readonly credentialFields?: readonly CredentialField[];
  };
  readonly [keyword: string]: unknown;
}

/** The schema by which `spec.<type>` is checked, in words that every validator knows: durations are a `pattern`. */
export function sinkJsonSchema(
  definition: Pick<
    SinkDefinition,
    'type' | 'role' | 'contractVersion' | 'capabilities' | 'credentialFields' | 'specSchema'
  >,
): SinkJsonSchema {
  const { type, role, contractVersion, capabilities, credentialFields, specSchema } = definition;
  if (typeof specSchema !== 'object' || specSchema === null)
    throw new SinkError('CONTRACT_VIOLATION', 'sinkJsonSchema takes a definition made with defineSink.', {
      operation: 'create',
    });
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: `spec.${type} of a sink`,
    ...(portable(specSchema) as object),
    'x-kollect': {
      type,
      role,
      contractVersion,
      capabilities,
      ...(credentialFields === undefined ? {} : { credentialFields }),
    },
  };
}

/** `format: duration` means ISO 8601 to other validators, `server-address` nothing. Data below `default` and `enum` stays as it is. */
function portable(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(portable);
  if (typeof node !== 'object' || node === null) return node;
  return Object.fromEntries(
    Object.entries(node).flatMap(([key, value]: [string, unknown]) => {
      if (key === 'default' || key === 'enum' || key === 'required') return [[key, value]];
      if (key === 'properties') return [[key, mapValues(value as object, portable)]];
      if (key !== 'format') return [[key, portable(value)]];
      return value === 'duration' ? [['pattern', durationPattern]] : [];
    }),
  );
}

function mapValues(object: object, change: (value: unknown) => unknown): object {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
}
