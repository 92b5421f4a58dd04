import type { EventEmitter } from 'node:events';
import type { Client } from 'pg';
import { SinkError } from '@kollect/core';
import { sqlStateOf } from '../postgres-errors.ts';

/** What a login came to, of which `pg` tells its end alone. */
export interface LoginWatch {
  /** Throws AUTHENTICATION_FAILED unless the server offered a login that is bound to the TLS channel: `pg` would fall back to any other. */
  requireBinding(): void;
  /** True where the server says that the password is wrong before it could have seen it: our half of the connection was closed on its way. */
  wasCutOff(error: unknown): boolean;
}

/** Watches a client that does not connect yet. */
export function watchLogin(client: Client): LoginWatch {
  const { connection } = client as unknown as { readonly connection: EventEmitter };
  let offered: readonly unknown[] | undefined;
  let answered = false;
  // Before the listeners of `pg`, which it adds when it connects.
  connection.once('authenticationSASL', ({ mechanisms }: { readonly mechanisms?: readonly unknown[] }) => {
    offered = mechanisms ?? [];
  });
  connection.once('authenticationSASLContinue', () => (answered = true));
  return {
    requireBinding: () => {
      if (offered?.includes('SCRAM-SHA-256-PLUS') === true) return;
      throw new SinkError(
        'AUTHENTICATION_FAILED',
        'The server offers no login that is bound to the TLS channel, and the dsn says channel_binding=require.',
        {
          sinkType: 'postgres',
          remedy:
            'Connect without a pooler that ends TLS, let the server use scram-sha-256, or leave channel_binding out.',
        },
      );
    },
    wasCutOff: (error) => offered !== undefined && !answered && sqlStateOf(error) === '28P01',
  };
}
