import { SinkError } from '@kollect/core';
import { showText } from '@kollect/core/authoring';
import type { ResolvedPostgresSpec, TlsMode } from './postgres-spec.ts';
import { checkedHost, checkedPort } from './wire/server-address.ts';

/** Server and login, as a DSN or single credentials name them. */
export interface Login {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string | undefined;
}

/** `sslmode` of libpq by the mode it stands for; `prefer` and `allow` may end up without TLS and stand for none. */
const tlsModeOf: Readonly<Record<string, TlsMode>> = {
  disable: 'disable',
  require: 'require',
  'no-verify': 'require',
  'verify-ca': 'verify-ca',
  'verify-full': 'verify-full',
};

/** Parameters of libpq by name: the name of any other may be a piece of a password that was not percent-encoded. */
const namedParameters = new Set(
  `channel_binding connect_timeout client_encoding dbname gssencmode host hostaddr keepalives load_balance_hosts options passfile password port
  replication require_auth service sslcert sslcrl sslkey sslnegotiation sslpassword sslrootcert ssl_min_protocol_version target_session_attrs
  user`.split(/\s+/),
);

const encodeIt = 'Percent-encode the characters @ / ? # % and : in user and password.';

/** Reads `postgresql://user:password@host:5432/database`. No message shows the DSN, for a slip in it may put the password anywhere. */
export function parseDsn(dsn: string, spec: Pick<ResolvedPostgresSpec, 'database' | 'tls'>): Login {
  const parts = /^postgres(?:ql)?:\/\/(?:([^/?#]*)@)?([^/?#@]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/.exec(dsn);
  if (parts === null)
    throw invalid(`The dsn is not of the form postgresql://user:password@host:5432/database. ${encodeIt}`);
  const [, login = '', address = '', database = '', query = ''] = parts;
  if (/@/.test(database) || login.includes('@'))
    throw invalid(`The dsn holds an @ that is not percent-encoded. ${encodeIt}`);
  const [user, password] = divide(login);
  if (user === '') throw invalid('The dsn names no user.');
  if (database !== '' && decode(database) !== spec.database) {
    throw invalid(
      `The dsn names another database than spec.postgres.database, which is ${showText(spec.database)}; leave it out of the dsn, or correct one of them.`,
    );
  }
  checkParameters(new URLSearchParams(query), spec.tls.mode);
  return {
    ...parseAddress(address),
    user: decode(user),
    password: password === undefined || password === '' ? undefined : decode(password),
  };
}

function divide(login: string): readonly [string, string?] {
  const colon = login.indexOf(':');
  return colon === -1 ? [login] : [login.slice(0, colon), login.slice(colon + 1)];
}

function parseAddress(address: string): Pick<Login, 'host' | 'port'> {
  const parts = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(decode(address));
  const host = parts?.[1] ?? '';
  if (address.includes(','))
    throw invalid('The dsn names several servers; give one, such as the address that follows the primary.');
  if (host === '') throw invalid('The dsn names no host.');
  return { host: checkedHost(host, 'The host of the dsn'), port: checkedPort(parts?.[2], 'The port of the dsn') };
}

function checkParameters(parameters: URLSearchParams, mode: TlsMode): void {
  for (const [name, value] of parameters) {
    if (name === 'application_name') continue;
    if (name !== 'sslmode') {
      const shown = namedParameters.has(name) ? `the parameter ${showText(name)}` : 'a parameter';
      throw invalid(
        `The dsn holds ${shown} that the sink does not take; only sslmode and application_name may stand there. ${encodeIt}`,
      );
    }
    if (tlsModeOf[value] === mode) continue;
    const shown =
      /^(allow|prefer)$/.test(value) || tlsModeOf[value] !== undefined ? `sslmode=${value}` : 'an unknown sslmode';
    throw invalid(
      `The dsn says ${shown} and spec.postgres.tls.mode says ${mode}: leave sslmode out of the dsn, or make the two agree.`,
    );
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid(`The dsn holds a % that begins no percent-encoding. ${encodeIt}`);
  }
}

function invalid(message: string): SinkError {
  return new SinkError('SPEC_INVALID', message, { sinkType: 'postgres' });
}
