import type { Fault } from '@kollect/core/authoring';
import { wrongLogin } from './error-verdicts.ts';
import { noSense } from './wire/protocol-fault.ts';

const lost: Fault = { code: 'UNAVAILABLE', what: 'The connection to PostgreSQL was lost' };

/** What `pg` and its protocol say without a code. */
const byWords: readonly (readonly [RegExp, Fault])[] = [
  [/timeout/iu, { code: 'TIMEOUT', what: 'PostgreSQL did not answer in time' }],
  [
    /does not support SSL/iu,
    {
      code: 'TLS_FAILED',
      what: 'The server does not offer TLS',
      remedy: 'Turn TLS on at the server, or set spec.postgres.tls.mode to disable where the network is trusted.',
    },
  ],
  [
    /SSL connection/iu,
    {
      code: 'TLS_FAILED',
      what: 'The TLS handshake failed',
      remedy: 'Check CA, client certificate, key and TLS version on both sides.',
    },
  ],
  // A signature that does not match comes from a server that does not know the password.
  [
    /^SASL: (?:Only mechanism|.*client password must|.*signature does not match|.*server returned error)|password must be a string/iu,
    wrongLogin,
  ],
  [/^SASL\b/u, noSense],
  [
    /Connection terminated|connection error and is not queryable|was closed and is not queryable|Connection ended|socket/iu,
    lost,
  ],
  [/invalid response|unknown (?:authenticationOk )?message|^Received unexpected/iu, noSense],
];

/** What an error of the driver means by its words; undefined where they say nothing that is known. */
export function driverFault(message: string): Fault | undefined {
  return byWords.find(([pattern]) => pattern.test(message))?.[1];
}
