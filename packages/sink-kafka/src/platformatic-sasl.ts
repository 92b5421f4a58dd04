import {
  AuthenticationError,
  saslOAuthBearer,
  saslPlain,
  saslScramSha,
  type CallbackWithPromise,
  type saslAuthenticateV2,
  type SASLCustomAuthenticator,
  type SASLOptions,
} from '@platformatic/kafka';
import type { KafkaClientConfig, SaslMechanism } from './kafka-client.ts';

type Answer = CallbackWithPromise<saslAuthenticateV2.SaslAuthenticateResponse>;

const names = { plain: 'PLAIN', 'scram-sha-256': 'SCRAM-SHA-256', 'scram-sha-512': 'SCRAM-SHA-512', oauthbearer: 'OAUTHBEARER' } as const satisfies Record<SaslMechanism, string>;

/** How to log in, with credentials asked for once at every login and re-authentication, so that name and password belong together. */
export function saslOptions({ sasl, credentials }: KafkaClientConfig): SASLOptions | undefined {
  if (sasl === undefined) return undefined;
  const authenticate: SASLCustomAuthenticator = (_mechanism, connection, api, _username, _password, _token, callback) => {
    credentials().then(
      ({ username = '', password = '', token = '' }) => {
        if (sasl.mechanism === 'plain') return saslPlain.authenticate(api, connection, username, password, callback);
        if (sasl.mechanism === 'oauthbearer') return saslOAuthBearer.authenticate(api, connection, token, {}, refusing(callback));
        const algorithm = sasl.mechanism === 'scram-sha-256' ? 'SHA-256' : 'SHA-512';
        return saslScramSha.authenticate(api, connection, algorithm, username, password, saslScramSha.defaultCrypto, callback);
      },
      (error: unknown) => callback(error as Error),
    );
  };
  return { mechanism: names[sasl.mechanism], authenticate };
}

/** A broker answers a token that it does not take with a success whose bytes tell why; the library would go on as if logged in. */
function refusing(callback: Answer): Answer {
  return (error, response) => {
    if (error === null && response !== undefined && response.authBytes.length > 0) callback(new AuthenticationError('SASL authentication failed.'));
    else callback(error, response);
  };
}
