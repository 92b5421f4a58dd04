import { SinkError } from '../../contract/errors/errors.ts';
import { requirePrintable } from '../../contract/errors/printable.ts';
import { showFieldName } from '../../contract/errors/show-value.ts';
import type { Credentials, SinkContext, TlsMaterial } from '../../registry/sink-context.ts';
import { tlsOptions, type SinkTls } from './tls-options.ts';
import type { TlsSpec } from './tls-spec.ts';

/** One way to log in: fields of the credentials that belong together. Forms exclude each other. */
export interface LoginForm<Name extends string = string> {
  readonly name: Name;
  /** Fields that make this form; all of them must be there. Empty: a login without credentials. */
  readonly needs: readonly string[];
  /** Fields that may stand beside them. */
  readonly takes?: readonly string[];
  /** Those of them that are files of several lines, such as PEM. */
  readonly files?: readonly string[];
}

export interface LoginOptions<Name extends string = string> {
  readonly sinkType: string;
  /** The forms that the spec allows; the first that has a field of its own in the credentials is meant, else the last. */
  readonly forms: readonly LoginForm<Name>[];
  /** Why these forms, for messages: `with sasl.mechanism plain`. */
  readonly when?: string;
  /** The spec's `tls`; undefined where it may be left out and was. */
  readonly tls: TlsSpec | undefined;
}

export interface Login<Name extends string = string> {
  readonly form: Name;
  /** Fields of the form that were given and are not empty. Secret: never log them. */
  readonly fields: Readonly<Record<string, string>>;
  /** Undefined where TLS is off. */
  readonly tls: SinkTls | undefined;
}

/**
 * Asks the host for credentials and TLS material and checks that they fit together and can go over a wire. Throws SPEC_INVALID that names the
 * fields that are missing, mixed or unknown, and never a value.
 */
export async function readLogin<Name extends string>(
  context: Pick<SinkContext<unknown>, 'credentials' | 'tls'>,
  options: LoginOptions<Name>,
): Promise<Login<Name>> {
  const [credentials, material] = await Promise.all([context.credentials(), context.tls()]);
  return checkLogin(credentials, material, options);
}

/** As `readLogin`, of what was read already. */
export function checkLogin<Name extends string>(
  credentials: Credentials,
  material: TlsMaterial,
  options: LoginOptions<Name>,
): Login<Name> {
  const { sinkType, tls } = options;
  return { ...checkCredentials(credentials, options), tls: tlsOptions({ sinkType, tls, material }) };
}

/** The credentials alone: which form they are, and that they go over a wire. */
export function checkCredentials<Name extends string>(
  credentials: Credentials,
  { sinkType, forms, when }: Omit<LoginOptions<Name>, 'tls'>,
): Omit<Login<Name>, 'tls'> {
  const invalid = (message: string): SinkError => new SinkError('SPEC_INVALID', message, { sinkType });
  const fields = Object.fromEntries(
    Object.entries(credentials).flatMap(([name, value]) => {
      return value === undefined || value === '' ? [] : [[name, value] as const];
    }),
  );
  const names = Object.keys(fields);
  const known = new Set(forms.flatMap(fieldsOf));
  const reads = `${when === undefined ? '' : `${when} `}the sink reads ${describeForms(forms)}`;
  const unknown = names.filter((name) => !known.has(name));
  if (unknown.length > 0) throw invalid(`The credentials hold ${unknown.map(showFieldName).join(', ')}; ${reads}.`);

  const form = forms.find(({ needs }) => needs.some((name) => names.includes(name))) ?? forms.at(-1);
  if (form === undefined) throw invalid('The sink takes no credentials.');
  const foreign = names.filter((name) => !fieldsOf(form).includes(name));
  if (foreign.length > 0)
    throw invalid(
      `The credentials hold ${form.needs.join(' and ')} and ${foreign.join(', ')}, which do not go together: ${reads}.`,
    );
  const missing = form.needs.filter((name) => !names.includes(name));
  if (missing.length > 0) throw invalid(`The credentials lack ${missing.join(' and ')}; ${reads}.`);
  for (const name of names) {
    const value = fields[name] ?? '';
    const text = form.files?.includes(name) === true ? value.replaceAll(/[\r\n\t]/gu, '') : value;
    requirePrintable(text, `The credentials: ${name}`, sinkType);
  }
  return { form: form.name, fields: Object.freeze(fields) };
}

function fieldsOf({ needs, takes = [] }: LoginForm): readonly string[] {
  return [...needs, ...takes];
}

/** `dsn, or host, username, password and port`. */
function describeForms(forms: readonly LoginForm[]): string {
  return forms
    .map(fieldsOf)
    .map((fields) =>
      fields.length < 2 ? (fields[0] ?? 'none') : `${fields.slice(0, -1).join(', ')} and ${fields.at(-1) ?? ''}`,
    )
    .join(', or ');
}
