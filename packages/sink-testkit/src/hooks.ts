import type { KollectSink } from '@kollect/core';
import type { ServerAddress } from '@kollect/core/authoring';
import type { CreateSinkOptions } from './create-sink-options.ts';

/** Takes back what a hook did. */
export type Undo = () => Promise<void>;

/** Where the store listens, for a proxy that the suite puts in between: `createSink` gets the proxy's address as `server`. */
export interface ServerHook {
  /** Asked at each check that needs it. */
  readonly address: () => ServerAddress | Promise<ServerAddress>;
  /** `http`: the proxy also answers in the place of the store: 401, 429, 503. `tcp`: anything else, HTTPS included. */
  readonly protocol: 'http' | 'tcp';
}

/**
 * Ways to make the store fail, and looks behind it. What is left out is reported: its checks are listed as not run. `false` says that there is
 * nothing of the kind: its checks do not apply.
 */
export interface ConformanceHooks {
  /** `false`: the sink dials nobody. */
  readonly server?: ServerHook | false;
  /** A sink that dials `options.server` with TLS, where the certificate is one that nobody signed. `false`: there is no TLS. */
  readonly untrustedSink?:
    | ((options: CreateSinkOptions & { readonly server: ServerAddress }) => KollectSink | Promise<KollectSink>)
    | false;
  /** From now on the store knows the sink and permits no write. */
  readonly denyWrites?: (() => Promise<Undo>) | false;
  /** From now on a write begins and fails: the disk is full, a constraint says no. */
  readonly breakWrites?: (() => Promise<Undo>) | false;
  /** Gives the user of the store another secret, and the sink's credentials the same; sessions of the old one end. `false`: no credentials. */
  readonly rotateCredentials?: (() => Promise<void>) | false;
  /** Names of what is in the store and belongs to no inventory: drafts, unfinished uploads, test files, open transactions. `false`: there can be nothing. */
  readonly leftovers?: (() => Promise<readonly string[]>) | false;
}
