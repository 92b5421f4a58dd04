import { isDeepStrictEqual } from 'node:util';
import type { Egress } from '../contract/egress.ts';
import { SinkError } from '../contract/errors/errors.ts';
import type { KollectSink } from '../contract/sink.ts';
import { deepFreeze } from './deep-freeze.ts';
import { checkContractVersion } from './contract-version.ts';
import type { SinkDefinition } from './define-sink.ts';
import { capabilitiesOf, violation } from './definition-parts.ts';
import {
  aFunction,
  anObject,
  checkOptions,
  either,
  someText,
  type OptionKinds,
} from '../contract/errors/check-options.ts';
import { copyData, NotData } from '../contract/json/plain-data.ts';
import { nearestName, suggestion } from '../contract/errors/nearest-name.ts';
import { isList, showText, showValue } from '../contract/errors/show-value.ts';
import { readHostIdentity, type HostIdentityGrant } from './host-identity.ts';
import { createSinkContext, type SinkConnection, type SinkContext } from './sink-context.ts';

export type { SinkConnection } from './sink-context.ts';

type ConfigOf<Definition> =
  Definition extends SinkDefinition<infer Type, infer Input>
    ? Partial<Input> extends Input
      ? { readonly type: Type } & { readonly [K in Type]?: Input }
      : { readonly type: Type } & { readonly [K in Type]: Input }
    : never;

/** What a user writes to get a sink: `{ type: 'postgres', postgres: {…} }`, one member for each registered type. */
export type SinkConfig<Definitions extends readonly SinkDefinition[] = readonly SinkDefinition[]> = ConfigOf<
  Definitions[number]
>;

/** The sink types of one host. */
export interface SinkRegistry<Definitions extends readonly SinkDefinition[] = readonly SinkDefinition[]> {
  /** Names of the types, in the order they were given. */
  readonly types: readonly Definitions[number]['type'][];
  /** Throws SPEC_INVALID for an unknown type, naming the known ones. */
  definition(type: string): Definitions[number];
  /** The way from data to a typed config: a frozen copy, once it proved valid. Throws SPEC_INVALID. */
  parse(config: unknown, name?: string): SinkConfig<Definitions>;
  /** A sink, not yet connected: nothing is dialled and no secret is read. Throws SPEC_INVALID, or CONTRACT_VIOLATION for a faulty sink type. */
  create(config: SinkConfig<Definitions>, connection?: SinkConnection): KollectSink;
}

interface RegistryDefaults {
  readonly egress: Egress;
  readonly hostIdentity?: readonly HostIdentityGrant[] | undefined;
}

/** `createSinkRegistry` without its defaults. */
export function buildSinkRegistry<const Definitions extends readonly SinkDefinition[]>(
  definitions: Definitions,
  { egress, hostIdentity }: RegistryDefaults,
): SinkRegistry<Definitions> {
  const byType = indexByType(definitions);
  const types = Object.freeze([...byType.keys()]);
  const identityFor = readHostIdentity(hostIdentity, types);

  const find = (type: string, begin: string): SinkDefinition => {
    const known = byType.get(type);
    if (known !== undefined) return known;
    const nearest = nearestName(type, types);
    const remedy = nearest === undefined ? '' : `; did you mean "${nearest}"?`;
    throw invalid(`${begin} sink type ${showText(type)} is not registered${remedy} (registered: ${types.join(', ')}).`);
  };

  const read = (
    given: unknown,
    name: string | undefined,
  ): { readonly config: Config; readonly definition: SinkDefinition; readonly spec: unknown } => {
    const subject = name === undefined ? 'The config of a sink' : `The config of sink ${showText(name)}`;
    if (typeof given !== 'object' || given === null || isList(given)) {
      throw invalid(
        `${subject} must be an object such as { type: 'postgres', postgres: { … } }, found ${showValue(given, { secret: true })}.`,
      );
    }
    const config = readConfig(given, subject);
    const { type, ...blocks } = config;
    if (typeof type !== 'string')
      throw invalid(
        `${subject}: $.type must name a sink type (registered: ${types.join(', ')}), found ${showValue(type, { secret: false })}.`,
      );
    const found = find(type, name === undefined ? 'The' : `${subject}: the`);
    const foreign = Object.keys(blocks).find((key) => key !== type);
    if (foreign !== undefined) {
      const remedy = byType.has(foreign)
        ? `a sink of type "${type}" takes the block "${type}" alone`
        : suggestion(foreign, ['type', type]);
      throw invalid(
        `${subject} (type "${type}") is invalid: $[${showText(foreign)}] does not belong here; ${remedy}.`,
        type,
      );
    }
    return { config, definition: found, spec: found.parseSpec(blocks[type], name) };
  };

  return Object.freeze({
    types,
    definition: (type: string) => find(type, 'The'),
    parse: (given: unknown, name?: string) =>
      deepFreeze(read(given, name).config) as unknown as SinkConfig<Definitions>,
    create: (config: SinkConfig<Definitions>, given?: SinkConnection) => {
      const connection = checkConnection(given);
      const { definition, spec } = read(config, connection.name);
      const { type, credentialFields } = definition;
      const identity = identityFor({ type, name: connection.name });
      return createChecked(
        definition,
        createSinkContext({ type, spec, connection, egress, hostIdentity: identity, credentialFields }),
      );
    },
  });
}

type Config = Readonly<Record<string, unknown>>;

function readConfig(given: object, subject: string): Config {
  try {
    return copyData(given, ['$']) as Config;
  } catch (error) {
    throw error instanceof NotData ? invalid(`${subject} is invalid: ${error.message}.`) : error;
  }
}

const connectionKinds: OptionKinds<SinkConnection> = {
  name: someText,
  credentials: either(anObject, aFunction),
  tls: either(anObject, aFunction),
  logger: anObject,
};

/** Throws SPEC_INVALID for what is no field of a connection. */
export function checkConnection(given: SinkConnection | undefined): SinkConnection {
  return checkOptions<SinkConnection>(given, connectionKinds, { of: 'The connection of a sink' });
}

function indexByType(definitions: readonly SinkDefinition[]): ReadonlyMap<string, SinkDefinition> {
  const byType = new Map<string, SinkDefinition>();
  if (!Array.isArray(definitions)) {
    const found = showValue(definitions, { secret: true });
    throw new SinkError(
      'CONTRACT_VIOLATION',
      `A registry takes a list of sink types, such as [postgresSink], found ${found}.`,
      {
        operation: 'create',
      },
    );
  }
  for (const [index, definition] of definitions.entries()) {
    if (typeof definition !== 'object' || definition === null) {
      const found = showValue(definition, { secret: true });
      throw new SinkError(
        'CONTRACT_VIOLATION',
        `The sink type at index ${String(index)} of the registry must be a definition made with defineSink, found ${found}.`,
        { operation: 'create' },
      );
    }
    checkContractVersion(definition);
    if (typeof definition.parseSpec !== 'function')
      throw violation(definition.type, 'is not a definition: make it with defineSink');
    if (byType.has(definition.type)) throw violation(definition.type, 'is registered twice');
    byType.set(definition.type, completed(definition));
  }
  return byType;
}

/** Another copy of core may have made the definition: what that one did not know yet has its default. */
function completed(definition: SinkDefinition): SinkDefinition {
  const capabilities = capabilitiesOf(definition.capabilities);
  return isDeepStrictEqual(capabilities, definition.capabilities)
    ? definition
    : Object.freeze({ ...definition, capabilities });
}

function createChecked(definition: SinkDefinition, context: SinkContext<unknown>): KollectSink {
  const { type, capabilities } = definition;
  let sink: KollectSink;
  try {
    sink = definition.create(context);
  } catch (error) {
    throw SinkError.from(error, { sinkType: type, operation: 'create' });
  }
  if (typeof sink !== 'object' || sink === null) throw faulty(type, 'has a create that returns no sink');
  if (typeof (sink as { readonly then?: unknown }).then === 'function') {
    void Promise.resolve(sink).catch(() => undefined);
    throw faulty(type, 'has a create that returns a promise; connecting is for open');
  }
  const claimed = (['plan', 'removeInventory'] as const).filter((name) => capabilities[name]);
  for (const method of ['export', 'testConnection', 'close', ...claimed] as const) {
    if (typeof sink[method] === 'function') continue;
    const why =
      method === 'plan' || method === 'removeInventory'
        ? `claims the capability ${method} and makes a sink without it`
        : `makes a sink without ${method}`;
    throw faulty(type, why);
  }
  return sink;
}

function invalid(message: string, sinkType?: string): SinkError {
  return new SinkError('SPEC_INVALID', message, { sinkType, operation: 'create' });
}

function faulty(type: string, problem: string): SinkError {
  return new SinkError('CONTRACT_VIOLATION', `The sink type ${showText(type)} ${problem}.`, {
    sinkType: type,
    operation: 'create',
  });
}
