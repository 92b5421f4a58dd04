import { anObject, checkOptions, someText, type OptionKind } from '../contract/errors/check-options.ts';
import { SinkError } from '../contract/errors/errors.ts';
import type { CredentialField } from '../contract/sink.ts';
import type { SinkDefinition } from './define-sink.ts';
import { suggestion } from '../contract/errors/nearest-name.ts';
import { secretPresets, type SecretFields, type SecretMaterial, type SecretPresetRule } from './secret-presets.ts';
import { showText, showValue } from '../contract/errors/show-value.ts';

/** Secrets whose keys are known: what other operators write. */
export type SecretPreset = keyof typeof secretPresets;

/** How the keys of a Secret are read: by a preset, or by a map from what the sink reads (`ca`, `cert` and `key` for TLS) to the Secret's keys. */
export type CredentialsFromSecretOptions = (
  | { readonly preset: SecretPreset; readonly keys?: undefined }
  | { readonly keys: Readonly<Record<string, string>>; readonly preset?: undefined }
) & {
  /** What a value that is text is written in: `base64`, as the API of Kubernetes gives `data`, or `utf8`, as in `stringData` and in files. Default `base64`. */
  readonly encoding?: 'base64' | 'utf8';
  /** How messages name the Secret, such as `shop/db-app`. */
  readonly secret?: string;
};

/** What `SinkConnection` takes as `credentials` and `tls`; those of several Secrets can be spread into one. */
export type { SecretMaterial } from './secret-presets.ts';

const tlsNames = ['ca', 'cert', 'key'];

/**
 * Credentials and TLS material of a sink from the data of a Kubernetes Secret; an empty value counts as absent. Throws SPEC_INVALID that names keys
 * which are missing, and never a value.
 */
export function credentialsFromSecret(
  definition: Pick<SinkDefinition, 'type' | 'credentialFields'>,
  data: Readonly<Record<string, string | Uint8Array>>,
  options: CredentialsFromSecretOptions,
): SecretMaterial {
  const { type, credentialFields } = definition;
  const invalid = (problem: string): SinkError => {
    const named = typeof options?.secret === 'string' ? ` ${showText(options.secret)}` : '';
    return new SinkError('SPEC_INVALID', `The Secret${named} for a sink of type "${type}": ${problem}.`, {
      sinkType: type,
    });
  };
  const { preset, keys, encoding = 'base64' } = readOptions(options, invalid);
  if (typeof data !== 'object' || data === null || Array.isArray(data))
    throw invalid(`expected its data as an object, found ${showValue(data, { secret: true })}`);
  const decoder: Decoder = (key, value) => decode(key, value, encoding, invalid);
  if (keys !== undefined) return byKeys(data, keys, credentialFields, decoder, invalid);
  const material = byPreset(data, preset, decoder, invalid);
  const foreign = Object.keys(material.credentials).filter((name) => !isRead(name, credentialFields));
  if (foreign.length > 0)
    throw invalid(
      `the preset ${preset} gives ${foreign.join(', ')}, which sinks of the type do not read; use another preset, or keys`,
    );
  return material;
}

type Decoder = (key: string, value: unknown) => string;
type Refuse = (problem: string) => SinkError;

interface ReadOptions {
  readonly preset?: string;
  readonly keys?: Readonly<Record<string, string>>;
  readonly encoding?: string;
  readonly secret?: string;
}

const presets = Object.keys(secretPresets);
const aMapOfNames: OptionKind = {
  expected: 'an object that maps names to keys of the Secret',
  accepts: (value) => anObject.accepts(value) && Object.values(Object(value)).every(someText.accepts),
};

function readOptions(given: unknown, invalid: Refuse): CredentialsFromSecretOptions {
  const kinds = { preset: someText, keys: aMapOfNames, encoding: someText, secret: someText };
  const subject = { of: 'The options of credentialsFromSecret' };
  const { preset, keys, encoding = 'base64' } = checkOptions(given as ReadOptions, kinds, subject);
  if (encoding !== 'base64' && encoding !== 'utf8')
    throw invalid(`the option encoding must be "base64" or "utf8", found ${showText(encoding)}`);
  if (keys !== undefined && preset === undefined) return { keys, encoding };
  if (preset === undefined || keys !== undefined) throw invalid('give one of the options preset and keys');
  if (!isPreset(preset)) throw invalid(`the preset ${showText(preset)} is not known; ${suggestion(preset, presets)}`);
  return { preset, encoding };
}

function isPreset(name: string): name is SecretPreset {
  return presets.includes(name);
}

function byPreset(
  data: Readonly<Record<string, unknown>>,
  preset: SecretPreset,
  text: Decoder,
  invalid: Refuse,
): SecretMaterial {
  const rule: SecretPresetRule = secretPresets[preset];
  const used: SecretFields = new Map(
    rule.keys.flatMap((key): readonly [string, string][] =>
      // What nobody reads, such as a PKCS #12 archive, may be no text.
      Object.hasOwn(data, key) && !binaryKeys.has(key) ? [[key, text(key, data[key])]] : [],
    ),
  );
  const lacking = rule.needs.map((group) => group.filter((key) => (used.get(key) ?? '') === ''));
  if (lacking.every((keys) => keys.length > 0)) {
    const missing = lacking.map((keys) => keys.join(' and ')).join(', or ');
    throw invalid(`it lacks ${missing}, which ${rule.description} has`);
  }
  return rule.read(used);
}

const binaryKeys: ReadonlySet<string> = new Set(['user.p12', 'ca.p12', 'key.der']);

function byKeys(
  data: Readonly<Record<string, unknown>>,
  keys: Readonly<Record<string, string>>,
  fields: readonly CredentialField[] | undefined,
  text: Decoder,
  invalid: Refuse,
): SecretMaterial {
  const credentials: Record<string, string> = {};
  const tls: Record<string, string> = {};
  for (const [name, key] of Object.entries(keys)) {
    const isTls = tlsNames.includes(name) && fields?.some((field) => field.name === name) !== true;
    if (!isTls && !isRead(name, fields)) {
      const known = [...(fields ?? []).map((field) => field.name), ...tlsNames];
      throw invalid(`keys names ${showText(name)}, which sinks of the type do not read; ${suggestion(name, known)}`);
    }
    if (!Object.hasOwn(data, key)) throw invalid(`it lacks the key ${showText(key)}, which is named for ${name}`);
    const value = text(key, data[key]);
    if (value !== '') (isTls ? tls : credentials)[name] = value;
  }
  return { credentials, tls };
}

function isRead(name: string, fields: readonly CredentialField[] | undefined): boolean {
  return fields === undefined || fields.some((field) => field.name === name);
}

function decode(key: string, value: unknown, encoding: 'base64' | 'utf8', invalid: Refuse): string {
  const wrong = (expected: string): SinkError => invalid(`the value of ${showText(key)} is not ${expected}`);
  if (typeof value === 'string' && encoding === 'utf8') return value;
  if (typeof value !== 'string' && !(value instanceof Uint8Array)) throw wrong('text or bytes');
  if (
    typeof value === 'string' &&
    !/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/u.test(value.replaceAll(/\s/gu, ''))
  )
    throw wrong("base64; give encoding: 'utf8' where it is decoded already");
  try {
    const bytes = typeof value === 'string' ? Buffer.from(value, 'base64') : value;
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw wrong('UTF-8 text');
  }
}
