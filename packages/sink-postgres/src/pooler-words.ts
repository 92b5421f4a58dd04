import type { Fault } from '@kollect/core/authoring';
import { noDatabase, tooManyConnections, wrongLogin } from './error-verdicts.ts';

/** Poolers and proxies say nearly everything with one SQLSTATE, so that their words decide: of PgBouncer, Supavisor and Neon, each as it words them. */
const byWords: readonly (readonly [RegExp, Fault])[] = [
  [
    /^transaction blocks not allowed in statement pooling mode$/u,
    {
      code: 'SPEC_INVALID',
      what: 'The pooler runs in statement mode, in which there are no transactions',
      remedy: 'Use transaction or session mode: pool_mode of PgBouncer.',
    },
  ],
  [
    /^unsupported startup parameter/u,
    {
      code: 'SPEC_INVALID',
      what: 'The pooler refused a startup parameter',
      remedy: 'Add it to ignore_startup_parameters of PgBouncer.',
    },
  ],
  [
    /^no more connections allowed|^client connections exceeded|^query_wait_timeout|^too many (?:connections|clients)\b|max_client_conn\b|max client(?:s| connections) reached|^max pools count reached|^Too many connections|Too many database connection attempts|^Unable to check out process from the pool|Pool checkout timeout/iu,
    tooManyConnections,
  ],
  [
    /exceeded the .{1,60} quota|^Your account or project has exceeded/iu,
    {
      code: 'OVERLOADED',
      what: 'A quota of the project is used up',
      remedy: 'Raise the quota or the plan of the project, or wait until it begins anew.',
    },
  ],
  [
    /endpoint has been disabled|^Control plane request failed|circuit breaker open/iu,
    {
      code: 'UNAVAILABLE',
      what: 'The proxy of the database says that the database is not available',
      remedy: 'Enable or wake the database in the console of its provider.',
    },
  ],
  [
    /(?:tenant or user|tenant\/user .{0,200}) not found|^\(E(?:TENANT)?NOTFOUND\)|no tenant identifier provided/iu,
    {
      ...wrongLogin,
      what: 'The pooler knows no such project or user',
      remedy: 'Check host and username: the pooler finds the project by them, as in postgres.<project>.',
    },
  ],
  [
    /^Endpoint ID is not specified|^Inconsistent project name inferred from SNI/u,
    {
      code: 'SPEC_INVALID',
      what: 'The proxy cannot tell which endpoint is meant',
      remedy: 'Connect with TLS and by the full host name of the endpoint, which is sent as the server name.',
    },
  ],
  [
    /requested endpoint could not be found/iu,
    {
      code: 'NOT_FOUND',
      what: 'The proxy knows no such endpoint',
      remedy: 'Correct the host, or create the endpoint in the console of its provider.',
    },
  ],
  [
    /address not in tenant allow_list|^This (?:IP address|VPC endpoint id) .{1,80} is not allowed to connect|from a blocked network/iu,
    {
      code: 'PERMISSION_DENIED',
      what: 'The proxy of the database lets nobody in from this address',
      remedy: 'Add the address of this process to the list of allowed ones in the console of the provider.',
    },
  ],
  [
    /^SSL required|SSL connection is required|^connection is insecure/iu,
    {
      code: 'TLS_FAILED',
      what: 'The pooler asks for TLS',
      remedy: 'Set spec.postgres.tls.mode to verify-full.',
    },
  ],
  [/^no such database\b|^database "[^"]*" does not exist$/u, noDatabase],
  [
    /^no such user\b|^(?:SASL |password )?authentication failed|^Authentication error, reason|^login rejected|^auth failed|^wrong password|^bouncer .{0,40}authentication failed/iu,
    wrongLogin,
  ],
];

/** What a pooler meant by its words; undefined where they say nothing that is known. */
export function poolerFault(sqlState: string, message: string): Fault | undefined {
  if (!/^(?:08P01|XX000|28000)$/u.test(sqlState)) return undefined;
  // Supavisor puts a name of its own in front: "(EMAXCLIENTCONN) max client connections reached".
  const bare = message.replace(/^\(E[A-Z]{3,30}\) (?=[a-z])/u, '');
  return byWords.find(([pattern]) => pattern.test(bare) || pattern.test(message))?.[1];
}
