import { SinkError } from '@kollect/core';
import {
  parseHost,
  parsePort,
  showText,
  unprintablePart,
  type ServerAddress,
  type TlsMode,
} from '@kollect/core/authoring';
import { encodeIt, readDsn, type DsnKeywords } from './dsn-forms.ts';
import type { ResolvedPostgresSpec } from './postgres-spec.ts';

/** Whether a login is bound to the TLS channel, so that nobody in between can pass it on. */
export type ChannelBinding = 'disable' | 'prefer' | 'require';

/** Servers and login, as a DSN or single credentials name them. */
export interface ServerLogin {
  /** Tried in this order. */
  readonly servers: readonly ServerAddress[];
  readonly user: string;
  readonly password: string | undefined;
  /** Only a server that takes writes will do: the others of the list are standbys. */
  readonly readWrite: boolean;
  readonly channelBinding: ChannelBinding;
}

const defaultPort = 5432;

/** Reads a connection string of either form. Throws SPEC_INVALID that says all that is wrong at once and shows nothing of the string. */
export function parseDsn(dsn: string, spec: Pick<ResolvedPostgresSpec, 'database' | 'tls'>): ServerLogin {
  const { keywords, problems } = readDsn(dsn);
  const of = (name: string): string => keywords.get(name) ?? '';
  // What could not be read at all has no parts that could be missing.
  const found = keywords.size === 0 ? problems : [...problems, ...dsnProblems(keywords, spec)];
  if (found.length > 0) throw new SinkError('SPEC_INVALID', found.join(' '), { sinkType: 'postgres' });
  const servers = parseServers(of('host'), of('port'), 'the dsn').value ?? [];
  return {
    servers,
    user: of('user'),
    password: keywords.get('password'),
    readWrite: servers.length > 1 || /^(?:read-write|primary)$/u.test(of('target_session_attrs')),
    channelBinding: (keywords.get('channel_binding') ?? 'disable') as ChannelBinding,
  };
}

/** Lists of hosts and ports as libpq takes them: one port for all, or one for each. `where` is in the messages: `the dsn`. */
export function parseServers(
  hosts: string,
  ports: string,
  where: string,
): { readonly value?: readonly ServerAddress[]; readonly problems: readonly string[] } {
  const names = hosts.split(',').map((host) => host.trim());
  const numbers = ports.trim() === '' ? [''] : ports.split(',').map((port) => port.trim());
  const problems: string[] = [];
  if (numbers.length !== 1 && numbers.length !== names.length)
    problems.push(
      `The ports of ${where} are ${numbers.length} and its hosts ${names.length}: give one port, or one for each host.`,
    );
  const nth = (index: number): string => (names.length === 1 ? '' : ` ${index + 1}`);
  const value = names.map((name, index): ServerAddress => {
    const host = parseHost(name);
    if (host.problem !== undefined) problems.push(`Host${nth(index)} of ${where} cannot be used: ${host.problem}.`);
    const text = numbers.length === 1 ? numbers[0] : numbers[index];
    const port = text === undefined || text === '' ? { value: defaultPort } : parsePort(text);
    if (port.problem !== undefined) problems.push(`Port${nth(index)} of ${where} cannot be used: ${port.problem}.`);
    return { host: host.value ?? '', port: port.value ?? defaultPort };
  });
  return problems.length > 0 ? { problems: [...new Set(problems)] } : { value, problems };
}

function dsnProblems(
  keywords: DsnKeywords,
  { database, tls }: Pick<ResolvedPostgresSpec, 'database' | 'tls'>,
): readonly string[] {
  const of = (name: string): string => keywords.get(name) ?? '';
  const problems: string[] = [];
  if (of('user') === '') problems.push('The dsn names no user.');
  if (of('host') === '') problems.push('The dsn names no host.');
  else problems.push(...parseServers(of('host'), of('port'), 'the dsn').problems);
  for (const name of ['user', 'password', 'dbname']) {
    const part = unprintablePart(of(name));
    if (part !== undefined) problems.push(`The ${name} of the dsn holds ${part}, which it cannot carry: remove it.`);
  }
  if (of('dbname') !== '' && of('dbname') !== database)
    problems.push(
      `The dsn names another database than spec.postgres.database, which is ${showText(database)}; leave it out of the dsn, or correct one of them.`,
    );
  const parameters = [...keywords].filter(([name]) => !loginKeywords.has(name));
  problems.push(...parameters.flatMap(([name, value]) => parameterProblem(name, value, tls.mode) ?? []));
  return problems;
}

const loginKeywords = new Set(['user', 'password', 'host', 'port', 'dbname']);

/** `sslmode` of libpq by the mode it stands for; `prefer` and `allow` may end up without TLS and stand for none. */
const tlsModeOf: Readonly<Record<string, TlsMode>> = {
  disable: 'disable',
  require: 'require',
  'no-verify': 'require',
  'verify-ca': 'verify-ca',
  'verify-full': 'verify-full',
};

/** Values that change nothing of what the sink does. */
const taken: Readonly<Record<string, RegExp>> = {
  application_name: /^/u,
  fallback_application_name: /^/u,
  target_session_attrs: /^(?:any|read-write|primary)$/u,
  channel_binding: /^(?:disable|prefer|require)$/u,
  client_encoding: /^(?:utf-?8|auto)$/iu,
  gssencmode: /^disable$/u,
  load_balance_hosts: /^disable$/u,
  sslnegotiation: /^postgres$/u,
  keepalives: /^1$/u,
};

const certificates = 'give ca, cert and key with the connection of the sink';
const leaveItOut = 'leave it out';

/** What to do instead, for parameters that others know: the name of any other may be a piece of a password that was not percent-encoded. */
const instead: Readonly<Record<string, string>> = {
  channel_binding: 'it may be disable, prefer or require',
  client_encoding: 'the sink speaks UTF-8; leave it out',
  connect_timeout: 'set spec.postgres.connectTimeout',
  connection_limit: 'set spec.postgres.poolSize',
  currentSchema: 'set spec.postgres.schema',
  gssencmode: 'the sink logs in without GSSAPI; leave it out',
  hostaddr: 'give the address as host',
  keepalives: leaveItOut,
  keepalives_count: leaveItOut,
  keepalives_idle: leaveItOut,
  keepalives_interval: leaveItOut,
  load_balance_hosts: 'hosts are tried in their order; leave it out',
  options:
    "set what it sets for the role (ALTER ROLE … SET …); an endpoint is found by the host's name, which TLS sends",
  passfile: 'give the password',
  pgbouncer: leaveItOut,
  pool_timeout: leaveItOut,
  replication: leaveItOut,
  require_auth: leaveItOut,
  schema: 'set spec.postgres.schema',
  search_path: 'set spec.postgres.schema',
  service: 'give host, user and password',
  ssl: 'set spec.postgres.tls.mode',
  ssl_max_protocol_version: leaveItOut,
  ssl_min_protocol_version: leaveItOut,
  sslcert: certificates,
  sslcrl: certificates,
  sslkey: certificates,
  sslnegotiation: 'the sink asks for TLS before it begins; leave it out',
  sslpassword: certificates,
  sslrootcert: certificates,
  statement_timeout: 'set spec.postgres.statementTimeout',
  target_session_attrs: 'the sink writes; use read-write',
  tcp_user_timeout: leaveItOut,
  uselibpqcompat: leaveItOut,
};

function parameterProblem(name: string, value: string, mode: TlsMode): string | undefined {
  if (name === 'sslmode') return sslmodeProblem(value, mode);
  if (taken[name]?.test(value) === true) {
    if (name !== 'channel_binding' || value !== 'require' || mode !== 'disable') return undefined;
    return 'The dsn says channel_binding=require and spec.postgres.tls.mode says disable: there is no channel to bind to.';
  }
  const remedy = instead[name];
  return remedy === undefined
    ? `The dsn holds a parameter that the sink does not take; leave it out. ${encodeIt}`
    : `The dsn holds the parameter ${showText(name)} that the sink does not take${taken[name] === undefined ? '' : ' so'}: ${remedy}.`;
}

function sslmodeProblem(value: string, mode: TlsMode): string | undefined {
  if (tlsModeOf[value] === mode) return undefined;
  const isKnown = /^(?:allow|prefer)$/u.test(value) || tlsModeOf[value] !== undefined;
  return `The dsn says ${isKnown ? `sslmode=${value}` : 'an unknown sslmode'} and spec.postgres.tls.mode says ${mode}: leave sslmode out of the dsn, or make the two agree.`;
}
