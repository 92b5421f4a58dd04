import { SinkError } from '../contract/errors/errors.ts';
import type { CredentialField, KollectSink, SinkCapabilities, SinkRole, SpanAttributes } from '../contract/sink.ts';
import { checkContractVersion, type ContractVersion, contractVersion } from './contract-version.ts';
import { deepFreeze } from './deep-freeze.ts';
import { checkCredentialFields, checkSpanAttributes, completeCapabilities, violation } from './definition-parts.ts';
import type { SinkContext } from './sink-context.ts';
import type { SpecInput, SpecOf, SpecSchema } from './spec-schema.ts';
import { compileSpecSchema, type SpecValidator } from './validation.ts';
import { nearestName } from '../contract/errors/nearest-name.ts';
import { showText } from '../contract/errors/show-value.ts';

export { contractVersion, type ContractVersion } from './contract-version.ts';
export type { Credentials, SinkContext, TlsMaterial } from './sink-context.ts';

export interface SinkDefinitionInput<Type extends string, Schema extends SpecSchema, Spec = SpecOf<Schema>> {
  /** Lower-case letters, digits and hyphens; also the name of the type's block in a sink's config. */
  readonly type: Type;
  readonly contractVersion: ContractVersion;
  readonly role: SinkRole;
  /** Default: none. */
  readonly capabilities?: SinkCapabilities;
  /** What the sink reads from its credentials; any other field is refused before it gets there. Left out: it is given whatever the host gives. */
  readonly credentialFields?: readonly CredentialField[];
  /** What every span of an export says, such as `db.system.name`. Default: nothing. */
  readonly spanAttributes?: SpanAttributes;
  readonly specSchema: Schema;
  /** What a schema cannot say: fields that exclude each other, units. Throws SPEC_INVALID; what it returns is the sink's spec. */
  resolveSpec?(spec: SpecOf<Schema>): Spec;
  /** Makes the sink. Does no I/O: connecting is for `open` or the first export. */
  create(context: SinkContext<Spec>): KollectSink;
}

/** A sink type, as `defineSink` makes it and a registry takes it. */
export interface SinkDefinition<Type extends string = string, Input = unknown, Spec = unknown> {
  readonly type: Type;
  readonly contractVersion: number;
  readonly role: SinkRole;
  readonly capabilities: Required<SinkCapabilities>;
  /** Absent where the type does not say. */
  readonly credentialFields?: readonly CredentialField[];
  readonly spanAttributes?: SpanAttributes;
  readonly specSchema: SpecSchema;
  /** The block as a sink gets it: validated, complete, resolved, deeply frozen. Throws SPEC_INVALID naming the type and `name`. */
  parseSpec(block: unknown, name?: string): Spec;
  create(context: SinkContext<Spec>): KollectSink;
  /** For the compiler alone, never there at run time: what a user may write in the block. */
  readonly '~input'?: Input;
}

/** `parseSpec` for those who spread a definition into a new one. */
const members: readonly string[] = Object.keys({
  type: true,
  contractVersion: true,
  role: true,
  capabilities: true,
  credentialFields: true,
  spanAttributes: true,
  specSchema: true,
  resolveSpec: true,
  create: true,
  parseSpec: true,
} satisfies Record<keyof SinkDefinitionInput<string, SpecSchema> | 'parseSpec', true>);
const typePattern = /^[a-z][a-z0-9-]*$/u;
const longestType = 63;
/** Fields of every KollectSink resource, beside which the block of the type stands. */
const takenNames: ReadonlySet<string> = new Set(['type', 'ca', 'delivery']);
const roles: readonly SinkRole[] = ['snapshot-store', 'relational-store', 'event-emitter'];

/** A sink type as a value. Throws CONTRACT_VIOLATION where the definition itself is wrong, so that it shows when the program starts. */
export function defineSink<const Type extends string, const Schema extends SpecSchema, Spec = SpecOf<Schema>>(
  input: SinkDefinitionInput<Type, Schema, Spec>,
): SinkDefinition<Type, SpecInput<Schema>, Spec> {
  const { type, role, specSchema, credentialFields, spanAttributes } = input;
  checkDefinition(input);
  const capabilities = completeCapabilities(type, input.capabilities);
  const validate = compile(type, specSchema);
  return Object.freeze({
    type,
    contractVersion,
    role,
    capabilities,
    ...(credentialFields === undefined ? {} : { credentialFields: deepFreeze(structuredClone(credentialFields)) }),
    ...(spanAttributes === undefined ? {} : { spanAttributes: Object.freeze({ ...spanAttributes }) }),
    specSchema: deepFreeze(structuredClone<SpecSchema>(specSchema)),
    parseSpec: (block: unknown, name?: string): Spec => {
      const subject =
        name === undefined
          ? `The spec of a sink of type "${type}"`
          : `The spec of sink ${showText(name)} (type "${type}")`;
      const valid = deepFreeze(validate(block ?? {}, subject));
      return deepFreeze(resolve(input, valid as SpecOf<Schema>, subject));
    },
    create: (context: SinkContext<Spec>) => input.create(context),
  } as const);
}

function checkDefinition(
  input: Pick<SinkDefinition, 'type' | 'contractVersion' | 'role' | 'create' | 'credentialFields' | 'spanAttributes'>,
): void {
  const { type, role, credentialFields, spanAttributes } = input;
  if (!typePattern.test(type)) throw violation(type, `must have a name that matches ${typePattern.source}`);
  if (type.length > longestType) throw violation(type, `must have a name of at most ${String(longestType)} characters`);
  if (takenNames.has(type)) throw violation(type, 'must have another name: a KollectSink has a field of that one');
  checkContractVersion(input);
  // A definition may carry more, as that of the memory sink does; what is nearly the name of a member is a slip.
  for (const name of Object.keys(input).filter((key) => !members.includes(key))) {
    const nearest = nearestName(name, members);
    if (nearest !== undefined) throw violation(type, `has a member ${showText(name)}; did you mean "${nearest}"?`);
  }
  if (!roles.includes(role)) throw violation(type, `must have one of the roles ${roles.join(', ')}`);
  if (typeof input.create !== 'function') throw violation(type, 'must have a function create');
  if (credentialFields !== undefined) checkCredentialFields(type, credentialFields);
  if (spanAttributes !== undefined) checkSpanAttributes(type, spanAttributes);
}

function compile(type: string, schema: SpecSchema): SpecValidator {
  try {
    return compileSpecSchema(type, schema);
  } catch (error) {
    throw violation(
      type,
      `has a specSchema that cannot be compiled: ${error instanceof Error ? error.message : 'unknown reason'}`,
    );
  }
}

function resolve<Type extends string, Schema extends SpecSchema, Spec>(
  input: SinkDefinitionInput<Type, Schema, Spec>,
  spec: SpecOf<Schema>,
  subject: string,
): Spec {
  // Without a second step the schema's own type is the spec: defineSink's default for Spec.
  if (input.resolveSpec === undefined) return spec as unknown as Spec;
  try {
    return input.resolveSpec(spec);
  } catch (thrown) {
    const error = SinkError.from(thrown, { sinkType: input.type, operation: 'create' });
    if (error.code !== 'SPEC_INVALID') throw error;
    throw new SinkError(error.code, `${subject} is invalid: ${error.message}`, {
      sinkType: input.type,
      operation: 'create',
      cause: error.cause,
    });
  }
}
