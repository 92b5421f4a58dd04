import { SinkError } from '../contract/errors/errors.ts';
import type { CredentialField } from '../contract/sink.ts';
import { nearestName, suggestion } from '../contract/errors/nearest-name.ts';
import { showFieldName, showText, showValue } from '../contract/errors/show-value.ts';
import { nameOfThrown } from '../contract/errors/thrown.ts';
import type { Credentials, TlsMaterial } from '../contract/credentials.ts';

export interface MaterialReader {
  /** What the host gives, one trailing newline cut from each field; an unknown field is refused. */
  credentials(source: unknown): Promise<Credentials>;
  /** PEM text by `ca`, `cert` and `key`; an empty one counts as absent. */
  tls(source: unknown): Promise<TlsMaterial>;
}

export interface MaterialReaderOptions {
  readonly sink: string;
  readonly type: string;
  /** Absent: any field is taken. */
  readonly credentialFields: readonly CredentialField[] | undefined;
}

const tlsFields = ['ca', 'cert', 'key'] as const satisfies readonly (keyof TlsMaterial)[];

/** Reads what a host gives beside the spec. Rejects with SPEC_INVALID, or CREDENTIALS_UNAVAILABLE where the host cannot say now. */
export function createMaterialReader({ sink, type, credentialFields }: MaterialReaderOptions): MaterialReader {
  const read = async (
    what: string,
    source: unknown,
    problemOf: (fields: Fields) => string | undefined,
  ): Promise<Fields> => {
    const subject = `The ${what} of sink ${showText(sink)} (type "${type}")`;
    const invalid = (problem: string): SinkError =>
      new SinkError('SPEC_INVALID', `${subject}: ${problem}.`, { sinkType: type });
    const fields = stringMap(await ask(source, subject, type), invalid);
    const problem = problemOf(fields);
    if (problem !== undefined) throw invalid(problem);
    return fields;
  };
  return {
    credentials: async (source) => {
      const given = await read('credentials', source, (fields) => unknownFields(fields, credentialFields));
      return Object.freeze(mapValues(given, withoutNewline));
    },
    tls: async (source) => {
      const given = await read('TLS material', source, (fields) =>
        Object.entries(fields)
          .map(tlsProblem)
          .find((problem) => problem !== undefined),
      );
      return Object.freeze(Object.fromEntries(Object.entries(given).filter(([, text]) => text.trim() !== '')));
    },
  };
}

type Fields = Readonly<Record<string, string>>;

/** The host's own error is not shown and not kept: it may quote the secret. */
async function ask(source: unknown, subject: string, sinkType: string): Promise<unknown> {
  if (typeof source !== 'function') return source;
  try {
    return (await source()) as unknown;
  } catch (error) {
    if (SinkError.isInstance(error)) throw SinkError.from(error, { sinkType });
    throw new SinkError(
      'CREDENTIALS_UNAVAILABLE',
      `${subject} cannot be read: the function that the host gave failed with ${nameOfThrown(error)}.`,
      {
        sinkType,
        remedy:
          'Look at why the host cannot read the Secret, file or variable: its name, its place, the permission to read it.',
      },
    );
  }
}

/** A copy of its own; a value left undefined is refused, for it is most often an unset variable. */
function stringMap(material: unknown, error: (problem: string) => SinkError): Fields {
  if (material === undefined) return {};
  if (typeof material !== 'object' || material === null || Array.isArray(material)) {
    throw error(`expected an object of strings, found ${showValue(material, { secret: true })}`);
  }
  const entries = Object.entries(material).map(([field, text]: [string, unknown]): [string, string] => {
    if (typeof text === 'string') return [field, text];
    const found =
      text instanceof Uint8Array
        ? 'bytes: decode them first, as with credentialsFromSecret'
        : showValue(text, { secret: true });
    throw error(`the field ${showFieldName(field)} must be a string, found ${found}`);
  });
  return Object.fromEntries(entries);
}

function unknownFields(fields: Fields, known: readonly CredentialField[] | undefined): string | undefined {
  if (known === undefined) return undefined;
  const names = known.map(({ name }) => name);
  const unknown = Object.entries(fields).flatMap(([name, text]) => (text === '' || names.includes(name) ? [] : [name]));
  if (unknown.length === 0) return undefined;
  const reads = names.length === 0 ? 'which reads none' : `which reads ${names.join(', ')}`;
  const nearest = unknown.map((name) => nearestName(name, names)).find((name) => name !== undefined);
  const hint =
    nearest === undefined
      ? 'for the Secret of another operator use credentialsFromSecret'
      : `did you mean "${nearest}"?`;
  return `they hold ${unknown.slice(0, maxShownFields).map(showFieldName).join(', ')}, unknown to the sink type, ${reads}; ${hint}`;
}

const maxShownFields = 5;

function tlsProblem([field, text]: readonly [string, string]): string | undefined {
  if (!tlsFields.some((known) => known === field))
    return `${showFieldName(field)} is not a known field; ${suggestion(field, tlsFields)}`;
  if (text.trim() === '' || text.includes('-----BEGIN ')) return undefined;
  return `"${field}" must be PEM text with a -----BEGIN line; a value of a Kubernetes Secret must be decoded from base64 first`;
}

/** Files and `kubectl create secret --from-file` end a value with a newline that belongs to no secret. */
function withoutNewline(text: string): string {
  return text.replace(/\r?\n$/u, '');
}

function mapValues(fields: Fields, change: (text: string) => string): Fields {
  return Object.fromEntries(Object.entries(fields).map(([name, text]) => [name, change(text)]));
}
