import type { ConnectionOptions } from 'node:tls';
import { SinkError, type Credentials, type SinkContext, type TlsMaterial } from '@kollect/core';
import { checkLogin, readLogin, type Login, type LoginForm, type ServerAddress } from '@kollect/core/authoring';
import { parseDsn, parseServers, type ChannelBinding, type ServerLogin } from './dsn.ts';
import type { ResolvedPostgresSpec } from './postgres-spec.ts';

/** Where and as whom to connect, for one server: spec, credentials and certificates in one. Holds the password; never log it. */
export interface ConnectionParameters extends ServerAddress {
  readonly user: string;
  /** Absent where a client certificate is the login. */
  readonly password: string | undefined;
  readonly database: string;
  readonly ssl: false | ConnectionOptions;
  readonly channelBinding: ChannelBinding;
}

/** The servers that may be connected to, in order. */
export interface PostgresLogin {
  readonly servers: readonly [ConnectionParameters, ...ConnectionParameters[]];
  /** Only a server that takes writes will do. */
  readonly readWrite: boolean;
}

type LoginSpec = Pick<ResolvedPostgresSpec, 'database' | 'tls'>;

export interface ConnectionSources {
  readonly spec: LoginSpec;
  readonly credentials: Credentials;
  readonly tls: TlsMaterial;
}

const forms: readonly LoginForm<'dsn' | 'fields'>[] = [
  { name: 'dsn', needs: ['dsn'] },
  { name: 'fields', needs: ['host', 'username'], takes: ['password', 'port'] },
];
const options = ({ tls }: LoginSpec) => ({ sinkType: 'postgres', forms, tls }) as const;

/** Asks the host, at every connect. Throws SPEC_INVALID that names what is missing, mixed or contradictory, and never a value that may be secret. */
export async function postgresLogin(context: SinkContext<ResolvedPostgresSpec>): Promise<PostgresLogin> {
  const { spec } = context;
  return withServers(spec, await readLogin(context, options(spec)));
}

/** As `postgresLogin`, of what was read already. */
export function connectionParameters({ spec, credentials, tls }: ConnectionSources): PostgresLogin {
  return withServers(spec, checkLogin(credentials, tls, options(spec)));
}

function withServers(spec: LoginSpec, { form, fields, tls }: Login<'dsn' | 'fields'>): PostgresLogin {
  const { servers, readWrite, ...login } =
    form === 'dsn' ? parseDsn((fields['dsn'] ?? '').trim(), spec) : loginOfFields(fields);
  const [first, ...others] = servers.map((server): ConnectionParameters => ({
    ...server,
    ...login,
    database: spec.database,
    ssl: tls?.for(server.host) ?? false,
  }));
  if (first === undefined) throw invalid('The credentials name no host.');
  return { servers: [first, ...others], readWrite };
}

function loginOfFields(fields: Readonly<Record<string, string>>): ServerLogin {
  const { value, problems } = parseServers(fields['host'] ?? '', fields['port'] ?? '', 'the credentials');
  if (value === undefined) throw invalid(problems.join(' '));
  return {
    servers: value,
    user: fields['username'] ?? '',
    password: fields['password'],
    readWrite: value.length > 1,
    channelBinding: 'disable',
  };
}

function invalid(message: string): SinkError {
  return new SinkError('SPEC_INVALID', message, { sinkType: 'postgres' });
}
