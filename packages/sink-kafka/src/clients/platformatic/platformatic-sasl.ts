import {
  AuthenticationError,
  saslOAuthBearer,
  saslPlain,
  saslScramSha,
  type Callback,
  type Connection,
  type saslAuthenticateV2,
  type SASLOptions,
} from '@platformatic/kafka';
import { SinkError } from '@kollect/core';
import type { KafkaClientConfig, SaslMechanism } from '../../kafka-client.ts';
import { checkIterations } from '../answer-limits.ts';
import { answerWith } from './platformatic-answers.ts';

type Login = saslAuthenticateV2.SaslAuthenticateResponse;

const names = {
  plain: 'PLAIN',
  'scram-sha-256': 'SCRAM-SHA-256',
  'scram-sha-512': 'SCRAM-SHA-512',
  oauthbearer: 'OAUTHBEARER',
} as const satisfies Record<SaslMechanism, string>;

/** How to log in, with credentials asked for once at every login and re-authentication, so that name and password belong together. */
export function saslOptions({ sasl, credentials }: KafkaClientConfig): SASLOptions | undefined {
  if (sasl === undefined) return undefined;
  const { mechanism } = sasl;
  const logIn = async (connection: Connection, api: saslAuthenticateV2.SASLAuthenticationAPI): Promise<Login> => {
    const { username = '', password = '', token = '' } = await credentials();
    if (mechanism === 'plain') return saslPlain.authenticate(api, connection, username, password);
    if (mechanism === 'oauthbearer') return accepted(await saslOAuthBearer.authenticate(api, connection, token, {}));
    // The library escapes the first comma alone, and what follows the second would be an attribute of the login.
    if (username.split(',').length > 2) throw tooManyCommas();
    return saslScramSha.authenticate(
      withIterations(api),
      connection,
      mechanism === 'scram-sha-256' ? 'SHA-256' : 'SHA-512',
      username,
      password,
    );
  };
  return {
    mechanism: names[mechanism],
    authenticate: (_mechanism, connection, api, _username, _password, _token, answer) =>
      void answerWith(logIn(connection, api).then(withLifetime), answer),
  };
}

function tooManyCommas(): SinkError {
  return new SinkError(
    'SPEC_INVALID',
    'The credentials: username holds several commas, which this client cannot send.',
    {
      sinkType: 'kafka',
      remedy: 'Use a user without them, or the client on kafkajs.',
    },
  );
}

/** A broker answers a token that it does not take with a success whose bytes tell why; the library would go on as if logged in. */
function accepted(login: Login): Login {
  if (login.authBytes.length > 0) throw new AuthenticationError('SASL authentication failed.');
  return login;
}

/** The server's first message asks for iterations, which the library does whatever their number. */
function withIterations(api: saslAuthenticateV2.SASLAuthenticationAPI): saslAuthenticateV2.SASLAuthenticationAPI {
  const ask = (connection: Connection, bytes: Buffer, answer: Callback<Login>): void =>
    api(connection, bytes, (error, login) => {
      const [, iterations] = /(?:^|,)i=([^,]*)/.exec(login?.authBytes.toString() ?? '') ?? [];
      try {
        if (iterations !== undefined) checkIterations(iterations);
      } catch (unreasonable) {
        return answer(unreasonable as Error);
      }
      answer(error, login);
    });
  return Object.assign(ask, { async: api.async, key: api.key, version: api.version }) as typeof api;
}

const shortestLifetimeMs = 1_000n;
const longestLifetimeMs = 2n ** 31n - 1n;

/** The library logs in again by a timer, which runs at once and without end where the broker names no time or one that no timer can have. */
function withLifetime(login: Login): Login {
  const { sessionLifetimeMs } = login;
  if (sessionLifetimeMs <= 0n) return login;
  const least = sessionLifetimeMs < shortestLifetimeMs ? shortestLifetimeMs : sessionLifetimeMs;
  return { ...login, sessionLifetimeMs: least > longestLifetimeMs ? longestLifetimeMs : least };
}
