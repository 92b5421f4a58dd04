import { parseArgs } from 'node:util';

/** How the operator is told to run: by flags, or by the environment where a flag is left out. */
export interface OperatorSettings {
  readonly help: boolean;
  /** `--cluster`, `KOLLECT_CLUSTER`: name of this cluster in every row and message. */
  readonly cluster?: string;
  /** `--lease`, `KOLLECT_LEASE`: name of the Lease that one of several replicas holds. Absent: this process works alone. */
  readonly lease?: string;
  /** `--lease-namespace`, `KOLLECT_LEASE_NAMESPACE`, `POD_NAMESPACE`. */
  readonly leaseNamespace?: string;
  /** `--port`, `KOLLECT_PORT`: of `/metrics`, `/healthz` and `/readyz`. Default 8080. */
  readonly port: number;
  /** `--host`, `KOLLECT_HOST`: the address that they listen on. Default every one. */
  readonly host?: string;
  /** `--allow`, `KOLLECT_ALLOW`, comma-separated: networks that sinks may dial although tenants may not by default. */
  readonly allow: readonly string[];
  /** `--other-namespaces`, `KOLLECT_OTHER_NAMESPACES=allow`: targets may select objects of other namespaces than their own. */
  readonly otherNamespaces: boolean;
  /** `--resync`, `KOLLECT_RESYNC`. Default `10m`. */
  readonly resync?: string;
}

/** A setting that cannot be used, in words for whoever wrote it. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

export const help = `Usage: kollect-operator [options]

Delivers the inventories of a cluster to what its KollectSink resources describe. Speaks to the cluster of KUBECONFIG, or in a pod to its own.

  --cluster NAME           name of this cluster in every row and message      KOLLECT_CLUSTER
  --lease NAME             one of several replicas works: who holds this Lease KOLLECT_LEASE
  --lease-namespace NAME   where the Lease is                                 KOLLECT_LEASE_NAMESPACE, POD_NAMESPACE
  --port N                 of /metrics, /healthz and /readyz; default 8080    KOLLECT_PORT
  --host ADDRESS           the address that they listen on; default all       KOLLECT_HOST
  --allow CIDR[,CIDR]      networks of the cluster that sinks may dial        KOLLECT_ALLOW
  --other-namespaces       targets may select other namespaces than their own KOLLECT_OTHER_NAMESPACES=allow
  --resync DURATION        how often all is exported again; default 10m       KOLLECT_RESYNC
  --help

The CRDs are in @kollect/kubernetes/crds/kollect.dev.yaml: kubectl apply --server-side -f that file first.
`;

type Environment = Readonly<Record<string, string | undefined>>;

/** Throws a SettingsError. */
export function readSettings(args: readonly string[], env: Environment): OperatorSettings {
  const flags = parseFlags(args);
  const text = (flag: keyof typeof flags, ...variables: readonly string[]): string | undefined => {
    const given = [flags[flag], ...variables.map((name) => env[name])];
    return given.map(String).find((value, index) => given[index] !== undefined && value !== '');
  };
  const port = Number(text('port', 'KOLLECT_PORT') ?? '8080');
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new SettingsError('--port must be a number from 0 to 65535.');
  const lease = text('lease', 'KOLLECT_LEASE');
  const leaseNamespace = text('lease-namespace', 'KOLLECT_LEASE_NAMESPACE', 'POD_NAMESPACE');
  if (lease !== undefined && leaseNamespace === undefined)
    throw new SettingsError('--lease needs --lease-namespace, or POD_NAMESPACE in the environment.');
  const allow = text('allow', 'KOLLECT_ALLOW')?.split(',') ?? [];
  const others = env['KOLLECT_OTHER_NAMESPACES'] ?? '';
  if (!['', 'allow', 'deny'].includes(others))
    throw new SettingsError('KOLLECT_OTHER_NAMESPACES must be allow or deny.');
  return {
    help: flags.help === true,
    port,
    allow: allow.map((range) => range.trim()).filter(Boolean),
    otherNamespaces: flags['other-namespaces'] === true || others === 'allow',
    ...defined({
      cluster: text('cluster', 'KOLLECT_CLUSTER'),
      host: text('host', 'KOLLECT_HOST'),
      resync: text('resync', 'KOLLECT_RESYNC'),
      lease,
      leaseNamespace,
    }),
  };
}

function parseFlags(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        cluster: { type: 'string' },
        lease: { type: 'string' },
        'lease-namespace': { type: 'string' },
        port: { type: 'string' },
        host: { type: 'string' },
        allow: { type: 'string' },
        'other-namespaces': { type: 'boolean' },
        resync: { type: 'string' },
        help: { type: 'boolean' },
      },
    });
    return values;
  } catch (error) {
    throw new SettingsError(`${(error as Error).message} See --help.`);
  }
}

function defined<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
