import type { Egress } from '../contract/egress.ts';
import { SinkError } from '../contract/errors.ts';
import { nameOfThrown } from '../contract/thrown.ts';
import { suggestion } from '../contract/nearest-name.ts';
import { showFieldName, showText, showValue } from '../contract/show-value.ts';

/** The fields of a secret, by name. */
export type Credentials = Readonly<Record<string, string>>;

/** Certificates and key as PEM text. */
export interface TlsMaterial {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** All that a sink may know. */
export interface SinkContext<Spec> {
  /** Valid, complete and deeply frozen. */
  readonly spec: Spec;
  /** Name of the sink, for messages. */
  readonly name: string;
  /** Asks the host anew, so that a rotated secret arrives: call it at every connect. Rejects with SPEC_INVALID, or UNAVAILABLE where the host cannot say now. */
  credentials(): Promise<Credentials>;
  /** As `credentials`, for TLS. */
  tls(): Promise<TlsMaterial>;
  /** The only way out. */
  readonly egress: Egress;
}

/** What one sink is given beside its spec: values, or functions that are asked at every connect. */
export interface SinkConnection {
  /** For messages; default the type. */
  readonly name?: string;
  readonly credentials?: Credentials | (() => Credentials | Promise<Credentials>);
  readonly tls?: TlsMaterial | (() => TlsMaterial | Promise<TlsMaterial>);
}

interface ContextInput<Spec> {
  readonly type: string;
  readonly spec: Spec;
  readonly connection: SinkConnection;
  readonly egress: Egress;
}

const tlsFields = ['ca', 'cert', 'key'];

/** The context of one sink. Asks nothing of the host until the sink does. */
export function createSinkContext<Spec>({ type, spec, connection, egress }: ContextInput<Spec>): SinkContext<Spec> {
  const name = connection.name ?? type;
  const read = async (what: string, source: unknown): Promise<Record<string, string>> => {
    const subject = `The ${what} of sink ${showText(name)} (type "${type}")`;
    const material = await ask(source, subject, type);
    return stringMap(
      material,
      (problem) => new SinkError('SPEC_INVALID', `${subject}: ${problem}.`, { sinkType: type }),
    );
  };
  return Object.freeze({
    spec,
    name,
    egress: egress.for?.(`sink ${showText(name)} (type "${type}")`) ?? egress,
    credentials: async () => Object.freeze(await read('credentials', connection.credentials)),
    tls: async () => {
      const material = await read('TLS material', connection.tls);
      for (const [field, text] of Object.entries(material)) {
        const problem = tlsProblem(field, text);
        if (problem === undefined) continue;
        throw new SinkError(
          'SPEC_INVALID',
          `The TLS material of sink ${showText(name)} (type "${type}"): ${problem}.`,
          { sinkType: type },
        );
      }
      return Object.freeze(material);
    },
  });
}

/** The host's own error is not shown and not kept: it may quote the secret. */
async function ask(source: unknown, subject: string, sinkType: string): Promise<unknown> {
  if (typeof source !== 'function') return source;
  try {
    return (await source()) as unknown;
  } catch (error) {
    if (SinkError.isInstance(error)) throw SinkError.from(error, { sinkType });
    throw new SinkError(
      'UNAVAILABLE',
      `${subject} cannot be read: the function that the host gave failed with ${nameOfThrown(error)}.`,
      { sinkType },
    );
  }
}

/** A copy of its own; a value left undefined is refused for credentials, where it is most often an unset variable. */
function stringMap(material: unknown, error: (problem: string) => SinkError): Record<string, string> {
  if (material === undefined) return {};
  if (typeof material !== 'object' || material === null || Array.isArray(material)) {
    throw error(`expected an object of strings, found ${showValue(material, { secret: true })}`);
  }
  const entries = Object.entries(material).map(([field, text]: [string, unknown]): [string, string] => {
    if (typeof text === 'string') return [field, text];
    throw error(
      `the field ${showFieldName(field)} must be a string, found ${text instanceof Uint8Array ? 'bytes: decode them first' : showValue(text, { secret: true })}`,
    );
  });
  return Object.fromEntries(entries);
}

function tlsProblem(field: string, text: string): string | undefined {
  if (!tlsFields.includes(field))
    return `${showFieldName(field)} is not a known field; ${suggestion(field, tlsFields)}`;
  if (text.includes('-----BEGIN ')) return undefined;
  return `"${field}" must be PEM text with a -----BEGIN line; a value of a Kubernetes Secret must be decoded from base64 first`;
}
