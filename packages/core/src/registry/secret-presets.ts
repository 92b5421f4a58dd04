import type { TlsMaterial } from '../contract/credentials.ts';

/** Fields of one Secret, as text, by key. */
export type SecretFields = ReadonlyMap<string, string>;

/** What a preset takes from a Secret; `credentials` in the names that sinks read. */
export interface SecretMaterial {
  readonly credentials: Readonly<Record<string, string>>;
  readonly tls: TlsMaterial;
}

export interface SecretPresetRule {
  /** Whose Secret it is, for messages. */
  readonly description: string;
  /** One of these groups of keys is there whole. */
  readonly needs: readonly (readonly string[])[];
  /** Every key that such a Secret may hold. */
  readonly keys: readonly string[];
  read(fields: SecretFields): SecretMaterial;
}

const take = (fields: SecretFields, names: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(names).flatMap(([name, key]) => {
      const text = fields.get(key);
      return text === undefined || text === '' ? [] : [[name, text]];
    }),
  );

export const secretPresets = {
  'cloudnative-pg': {
    description: 'the Secret <cluster>-app of CloudNativePG',
    needs: [['username', 'password', 'host']],
    keys: [
      'username',
      'user',
      'password',
      'dbname',
      'host',
      'port',
      'pgpass',
      'uri',
      'jdbc-uri',
      'fqdn-uri',
      'fqdn-jdbc-uri',
    ],
    read: (fields) => ({
      credentials: {
        ...take(fields, { username: 'username', password: 'password', host: 'host', port: 'port' }),
        ...fullHost(fields),
      },
      tls: {},
    }),
  },
  zalando: {
    description: 'the Secret <user>.<cluster>.credentials… of the Zalando operator, which names no host',
    needs: [['username', 'password']],
    keys: ['username', 'password'],
    read: (fields) => ({ credentials: take(fields, { username: 'username', password: 'password' }), tls: {} }),
  },
  'strimzi-user': {
    description: 'the Secret of a KafkaUser of Strimzi',
    needs: [
      ['password', 'sasl.jaas.config'],
      ['user.crt', 'user.key'],
    ],
    keys: ['password', 'sasl.jaas.config', 'ca.crt', 'user.crt', 'user.key', 'user.p12', 'user.password'],
    // Its ca.crt signs clients, and not the brokers: those are trusted by the Secret of the cluster's CA.
    read: (fields) =>
      fields.has('user.crt')
        ? { credentials: {}, tls: take(fields, { cert: 'user.crt', key: 'user.key' }) }
        : { credentials: { ...jaasUser(fields), ...take(fields, { password: 'password' }) }, tls: {} },
  },
  'strimzi-cluster-ca': {
    description: 'the Secret <cluster>-cluster-ca-cert of Strimzi',
    needs: [['ca.crt']],
    keys: ['ca.crt', 'ca.p12', 'ca.password'],
    read: (fields) => ({ credentials: {}, tls: take(fields, { ca: 'ca.crt' }) }),
  },
  'cert-manager': {
    description: 'the Secret of a Certificate of cert-manager',
    needs: [['tls.crt', 'tls.key'], ['ca.crt']],
    keys: ['ca.crt', 'tls.crt', 'tls.key', 'tls-combined.pem', 'key.der'],
    read: (fields) => ({ credentials: {}, tls: take(fields, { ca: 'ca.crt', cert: 'tls.crt', key: 'tls.key' }) }),
  },
} as const satisfies Record<string, SecretPresetRule>;

/** `host` alone resolves in the cluster's own namespace; the host of `fqdn-uri` does everywhere. */
function fullHost(fields: SecretFields): { readonly host?: string } {
  const uri = fields.get('fqdn-uri');
  if (uri === undefined || !URL.canParse(uri)) return {};
  const host = new URL(uri).hostname;
  return host === '' ? {} : { host };
}

/** The Secret names its user in the line for Java's client alone. */
function jaasUser(fields: SecretFields): { readonly username?: string } {
  const [, username] = /\busername="((?:[^"\\]|\\.)*)"/u.exec(fields.get('sasl.jaas.config') ?? '') ?? [];
  return username === undefined || username === '' ? {} : { username: username.replaceAll(/\\(.)/gu, '$1') };
}
