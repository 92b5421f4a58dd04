import type { Agent, OutgoingHttpHeaders } from 'node:http';
import type { RequestOptions } from 'node:https';
import { SinkError } from '@kollect/core';

/** What is used of the `KubeConfig` of `@kubernetes/client-node`, 1 and 2: where the server is, and as whom we speak. */
export interface KubeConfigSource {
  getCurrentCluster(): {
    readonly server: string;
    readonly skipTLSVerify?: boolean;
    readonly proxyUrl?: string | undefined;
  } | null;
  /** Puts certificates, headers and the login into the options; asked for each call, so that what rotates arrives. */
  applyToHTTPSOptions(options: RequestOptions): Promise<void>;
}

/** For one call. */
export interface ServerLogin {
  readonly url: URL;
  readonly headers: OutgoingHttpHeaders;
  /** Certificates, and user with password. */
  readonly options: RequestOptions;
  /** Where the server is behind a proxy. */
  readonly agent: Agent | undefined;
}

/** What client-node may set of the options. */
const taken = [
  'auth',
  'ca',
  'cert',
  'ciphers',
  'crl',
  'key',
  'passphrase',
  'pfx',
  'rejectUnauthorized',
  'secureOptions',
  'servername',
] as const satisfies readonly (keyof RequestOptions)[];

/** Where and as whom, now. Rejects with whatever client-node throws. */
export async function readLogin(config: KubeConfigSource): Promise<ServerLogin> {
  const options: RequestOptions = { headers: {} };
  const url = serverUrl(config);
  await config.applyToHTTPSOptions(options);
  const given = taken.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]] as const]));
  const agent = typeof options.agent === 'object' ? options.agent : undefined;
  const proxied = config.getCurrentCluster()?.proxyUrl !== undefined;
  return {
    url,
    headers: { ...(options.headers as OutgoingHttpHeaders) },
    options: Object.fromEntries(given),
    agent: proxied ? agent : undefined,
  };
}

/** Throws SPEC_INVALID where the config names no server, or one that client-node would not speak to. */
export function serverUrl(config: KubeConfigSource): URL {
  const cluster = config.getCurrentCluster();
  if (cluster === null)
    throw invalid('has no current cluster', 'Load it first, as with loadFromDefault(), and set its current context.');
  if (!URL.canParse(cluster.server) || !/^https?:/u.test(cluster.server))
    throw invalid('names no http or https URL as the server of its cluster', 'Correct the kubeconfig.');
  const url = new URL(cluster.server);
  if (url.protocol === 'http:' && cluster.skipTLSVerify !== true)
    throw invalid(
      'names a server without TLS',
      'Use https, or set insecure-skip-tls-verify where the way to the server is trusted.',
    );
  return url;
}

function invalid(problem: string, remedy: string): SinkError {
  return new SinkError('SPEC_INVALID', `The KubeConfig given to clientNode ${problem}.`, { remedy });
}
