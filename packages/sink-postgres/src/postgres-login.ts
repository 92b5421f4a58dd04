import { checkServerIdentity, type ConnectionOptions } from 'node:tls';
import { SinkError, type Credentials, type TlsMaterial } from '@kollect/core';
import { showFieldName } from '@kollect/core/authoring';
import { parseDsn, type Login } from './dsn.ts';
import type { ResolvedPostgresSpec } from './postgres-spec.ts';
import { checkedHost, checkedPort } from './wire/server-address.ts';

/** Where and as whom to connect: spec, credentials and certificates in one. Holds the password; never log it. */
export interface ConnectionParameters {
  /** Host name or IP address, without brackets. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Absent where a client certificate is the login. */
  readonly password: string | undefined;
  readonly database: string;
  readonly ssl: false | ConnectionOptions;
}

export interface ConnectionSources {
  readonly spec: Pick<ResolvedPostgresSpec, 'database' | 'tls'>;
  readonly credentials: Credentials;
  readonly tls: TlsMaterial;
}

const singleKeys = ['username', 'password', 'host', 'port'] as const;

/** Throws SPEC_INVALID that names what is missing, mixed or contradictory, and never a value that may be secret. */
export function connectionParameters({ spec, credentials, tls }: ConnectionSources): ConnectionParameters {
  const given = Object.entries(credentials).flatMap(([key, value]) =>
    value === undefined || value === '' ? [] : [key],
  );
  const unknown = given.filter((key) => key !== 'dsn' && !singleKeys.some((known) => known === key));
  if (unknown.length > 0) {
    throw invalid(
      `The credentials hold ${unknown.map(showFieldName).join(', ')}, which the sink does not know; it reads dsn, or username, password, host and port.`,
    );
  }
  const login = given.includes('dsn') ? loginOfDsn(given, credentials, spec) : loginOfSingleKeys(credentials);
  return { ...login, database: spec.database, ssl: tlsOptions(login.host, spec.tls, tls) };
}

function loginOfDsn(given: readonly string[], credentials: Credentials, spec: ConnectionSources['spec']): Login {
  const beside = given.filter((key) => key !== 'dsn');
  if (beside.length > 0)
    throw invalid(
      `The credentials hold dsn and ${beside.join(', ')}: give the dsn alone, or username, password, host and port.`,
    );
  return parseDsn((credentials['dsn'] ?? '').trim(), spec);
}

function loginOfSingleKeys(credentials: Credentials): Login {
  const host = (credentials['host'] ?? '').trim();
  const user = credentials['username'] ?? '';
  const missing = [...(host === '' ? ['host'] : []), ...(user === '' ? ['username'] : [])];
  if (missing.length > 0)
    throw invalid(`The credentials lack ${missing.join(' and ')}; give a dsn, or username, password, host and port.`);
  return {
    host: checkedHost(host, 'The host'),
    port: checkedPort(credentials['port'], 'The port'),
    user,
    password: credentials['password'] || undefined,
  };
}

function tlsOptions(
  host: string,
  { mode, serverName }: ResolvedPostgresSpec['tls'],
  { ca, cert, key }: TlsMaterial,
): false | ConnectionOptions {
  if ((cert === undefined) !== (key === undefined)) {
    throw invalid(
      `The connection holds a client ${cert === undefined ? 'key without its certificate' : 'certificate without its key'}; give both or none.`,
    );
  }
  if (mode === 'disable') return false;
  const name = serverName ?? host;
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(serverName === undefined ? {} : { servername: serverName }),
    rejectUnauthorized: mode !== 'require',
    // Always by our own name: `pg` sets the server name to the host over ours, and Node checks an IP address as "localhost" on a given socket.
    checkServerIdentity:
      mode === 'verify-full' ? (_name, certificate) => checkServerIdentity(name, certificate) : () => undefined,
  };
}

function invalid(message: string): SinkError {
  return new SinkError('SPEC_INVALID', message, { sinkType: 'postgres' });
}
