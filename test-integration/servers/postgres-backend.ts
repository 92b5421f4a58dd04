import type { KeyPair } from './certificates.ts';

/** How a server is brought down: `fast` ends sessions in order, `immediate` without a checkpoint, `kill` like a power cut. */
export type RestartMode = 'fast' | 'immediate' | 'kill';

/** What a backend needs to make a server. */
export interface BackendOptions {
  readonly superuser: { readonly username: string; readonly password: string };
  readonly settings: Readonly<Record<string, string>>;
  /** The server's certificate and the authority that client certificates must come from; without it the server has no TLS. */
  readonly tls?: { readonly ca: string; readonly server: KeyPair };
  /** True leaves the server running when this process ends. */
  readonly keep: boolean;
}

/** A PostgreSQL that was made and launched in one of the ways; it may not accept connections yet. */
export interface PostgresBackend {
  readonly kind: 'containers' | 'embedded' | 'system';
  readonly host: string;
  readonly port: number;
  /** A shell command that ends a server which was kept, and removes what it leaves. */
  readonly stopCommand: string;
  running(): Promise<boolean>;
  logTail(): Promise<string>;
  /** Brings the server down; resolves when its last process is gone. */
  halt(mode: RestartMode): Promise<void>;
  /** Starts it again on the same port and data. */
  launch(): Promise<void>;
  /** Brings it down and removes what it leaves. */
  dispose(): Promise<void>;
}

/** The role that may connect with a client certificate alone. */
export const CERTIFICATE_USER = 'kollect_cert';

/** The content of pg_hba.conf: passwords over TCP with and without TLS, a certificate for the one role. */
export function hostBasedAuthentication(tls: boolean): string {
  const certificates = [`hostssl all ${CERTIFICATE_USER} all cert`, `hostnossl all ${CERTIFICATE_USER} all reject`];
  return ['local all all trust', ...(tls ? certificates : []), 'host all all all scram-sha-256', ''].join('\n');
}

/** Settings as arguments of the server: `-c name=value`. */
export function settingArguments(settings: Readonly<Record<string, string>>): string[] {
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}
