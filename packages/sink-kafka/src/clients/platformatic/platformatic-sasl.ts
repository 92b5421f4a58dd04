import {
  AuthenticationError,
  saslOAuthBearer,
  saslPlain,
  saslScramSha,
  type Connection,
  type saslAuthenticateV2,
  type SASLOptions,
} from '@platformatic/kafka';
import { SinkError } from '@kollect/core';
import type { KafkaClientConfig, SaslMechanism } from '../../kafka-client.ts';
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
      api,
      connection,
      mechanism === 'scram-sha-256' ? 'SHA-256' : 'SHA-512',
      username,
      password,
    );
  };
  return {
    mechanism: names[mechanism],
    authenticate: (_mechanism, connection, api, _username, _password, _token, answer) =>
      void answerWith(logIn(connection, api), answer),
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
