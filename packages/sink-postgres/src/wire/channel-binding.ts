import type { EventEmitter } from 'node:events';
import type { Client } from 'pg';
import { SinkError } from '@kollect/core';

export interface BindingWatch {
  /** Throws AUTHENTICATION_FAILED unless the server offered a login that is bound to the TLS channel. */
  check(): void;
}

/** Watches what login the server asks for: `pg` would fall back to one without channel binding, a plain password included. */
export function watchBinding(client: Client): BindingWatch {
  const { connection } = client as unknown as { readonly connection: EventEmitter };
  let bound = false;
  // Before the listeners of `pg`, which it adds when it connects.
  connection.once('authenticationSASL', ({ mechanisms }: { readonly mechanisms?: readonly unknown[] }) => {
    bound = mechanisms?.includes('SCRAM-SHA-256-PLUS') === true;
  });
  return {
    check: () => {
      if (bound) return;
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
  };
}
