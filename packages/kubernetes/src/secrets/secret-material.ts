import {
  credentialsFromSecret,
  SinkError,
  type SecretMaterial,
  type SecretPreset,
  type SinkDefinition,
} from '@kollect/core';
import { showText } from '@kollect/core/authoring';
import type { ConfigMapObject, SecretObject, SecretRef, SecretSink } from './secret-types.ts';

type Definition = Pick<SinkDefinition, 'type' | 'credentialFields'>;
type Values = Readonly<Record<string, string>>;

/** What a sink names, and what it is for. */
export interface SinkRefs {
  readonly credentials: SecretRef | undefined;
  readonly ca: (SecretRef & { readonly key: string }) | undefined;
}

/** All in the namespace of the sink. */
export function refsOf({ namespace, spec }: SecretSink): SinkRefs {
  const { secretRef, ca } = spec;
  const caRef = ca?.secretRef ?? ca?.configMapRef;
  const kind = ca?.secretRef === undefined ? 'ConfigMap' : 'Secret';
  return {
    credentials: secretRef === undefined ? undefined : { kind: 'Secret', namespace, name: secretRef.name },
    ca: caRef === undefined ? undefined : { kind, namespace, name: caRef.name, key: caRef.key },
  };
}

export const showRef = ({ kind, namespace, name }: SecretRef): string => `${kind} ${showText(`${namespace}/${name}`)}`;

/** An object has at most a megabyte of data, in base64 a third more. */
const maxDataLength = 2 * 2 ** 20;

/** Credentials and certificates of `spec.secretRef`. Throws SPEC_INVALID naming Secret and key, and never a value. */
export function credentialsOf(
  sink: SecretSink,
  definition: Definition,
  ref: SecretRef,
  object: SecretObject,
): SecretMaterial {
  const data = dataOf(ref, object);
  const secret = `${ref.namespace}/${ref.name}`;
  const { preset, keys } = sink.spec.secretRef ?? {};
  if (preset !== undefined) {
    const material = credentialsFromSecret(definition, data, { preset: preset as SecretPreset, secret });
    return { ...material, credentials: withHost(material.credentials, preset, ref) };
  }
  return credentialsFromSecret(definition, data, { keys: keys ?? usualKeys(definition, ref, data), secret });
}

/** The certificates of `spec.ca`, as PEM. */
export function caOf(
  definition: Definition,
  ref: SecretRef & { readonly key: string },
  object: ConfigMapObject,
): string {
  const secret = `${ref.namespace}/${ref.name}`;
  const isText = ref.kind === 'ConfigMap' && Object.hasOwn(object.data ?? {}, ref.key);
  const data = dataOf(ref, ref.kind === 'Secret' || isText ? object : { ...object, data: object.binaryData });
  const options = { keys: { ca: ref.key }, encoding: isText ? ('utf8' as const) : ('base64' as const), secret };
  // Without credentials: a type may have a field of its own that is named "ca".
  const { ca = '' } = credentialsFromSecret({ type: definition.type, credentialFields: [] }, data, options).tls;
  return checkCertificates(ca, `The value of ${showText(ref.key)} in the ${showRef(ref)}`);
}

export function checkCertificates(pem: string, subject: string): string {
  if (pem.includes('-----BEGIN CERTIFICATE-----')) return pem;
  throw invalid(`${subject} holds no certificate as PEM, which begins with -----BEGIN CERTIFICATE-----.`);
}

function dataOf(ref: SecretRef, { data = {} }: SecretObject): Values {
  let length = 0;
  for (const value of Object.values(data)) length += typeof value === 'string' ? value.length : 0;
  if (length > maxDataLength) throw invalid(`The ${showRef(ref)} holds more data than the API server allows.`);
  return data;
}

/** For certificates, as cert-manager and the type kubernetes.io/tls name them, and by their own names. */
const tlsKeys: readonly (readonly [name: string, key: string])[] = [
  ['ca', 'ca.crt'],
  ['cert', 'tls.crt'],
  ['key', 'tls.key'],
  ['ca', 'ca'],
  ['cert', 'cert'],
  ['key', 'key'],
];

/** Keys that are named as what they are for. */
function usualKeys({ type, credentialFields }: Definition, ref: SecretRef, data: Values): Values {
  const fields = (credentialFields ?? Object.keys(data).map((name) => ({ name }))).map(({ name }) => name);
  const isThere = (key: string): boolean => Object.hasOwn(data, key);
  const tls = tlsKeys.filter(([name, key]) => isThere(key) && !fields.includes(name) && !fields.includes(key));
  const found = [...tls, ...fields.filter(isThere).map((name) => [name, name] as const)];
  if (found.length > 0) return Object.fromEntries(found);
  const known = credentialFields === undefined ? '' : ` (${fields.join(', ')})`;
  throw new SinkError(
    'SPEC_INVALID',
    `The ${showRef(ref)} has none of the keys that sinks of type ${showText(type)} read${known}.`,
    { remedy: 'Name its keys by secretRef.keys, or whose Secret it is by secretRef.preset.' },
  );
}

const zalandoName = /^.+\.([a-z0-9-]+)\.credentials\.postgresql\.acid\.zalan\.do$/u;

/** A host that is known to the namespace of the cluster alone, which is that of the Secret, as one that every Pod knows. */
function withHost(credentials: Values, preset: string, { namespace, name }: SecretRef): Values {
  const { host } = credentials;
  const cluster = preset === 'zalando' ? zalandoName.exec(name)?.[1] : undefined;
  const short = host ?? cluster;
  if (preset !== 'zalando' && preset !== 'cloudnative-pg') return credentials;
  return short === undefined || short.includes('.')
    ? credentials
    : { ...credentials, host: `${short}.${namespace}.svc` };
}

function invalid(message: string): SinkError {
  return new SinkError('SPEC_INVALID', message);
}
