import type { KafkaConfig } from 'kafkajs';
import type { KafkaClientConfig } from '../../kafka-client.ts';
import { checkIterations } from '../answer-limits.ts';
import { lengthBytes } from './kafkajs-internals.ts';

type BuiltInProvider = (args: { readonly saslAuthenticate: (exchange: SaslExchange) => Promise<unknown> }) => {
  authenticate(): Promise<void>;
};

interface SaslExchange {
  readonly request: unknown;
  readonly response?: { decode(bytes: Uint8Array): Promise<unknown>; parse(decoded: unknown): Promise<unknown> };
}

/** kafkajs puts its own authenticator on the object it is given: this one asks for credentials before each login, and keeps what made it fail. */
export function saslOf({ sasl, credentials }: KafkaClientConfig): NonNullable<KafkaConfig['sasl']> {
  let builtIn: BuiltInProvider | undefined;
  const login = { username: '', password: '' };
  let token = '';
  const provider: BuiltInProvider = (args) => ({
    authenticate: async () => {
      const fresh = await credentials();
      Object.assign(login, { username: fresh['username'] ?? '', password: fresh['password'] ?? '' });
      token = fresh['token'] ?? '';
      let failure: unknown;
      const saslAuthenticate = async ({ request, response = refusal }: SaslExchange): Promise<unknown> => {
        try {
          const answer = await args.saslAuthenticate({ request, response });
          const { i } = Object(answer) as { readonly i?: unknown };
          if (i !== undefined) checkIterations(i);
          return answer;
        } catch (error) {
          failure = error;
          throw error;
        }
      };
      try {
        await builtIn?.({ ...args, saslAuthenticate }).authenticate();
      } catch (error) {
        // kafkajs says "authentication failed" of a connection that broke meanwhile, too, and forgets why.
        throw failure ?? error;
      }
    },
  });
  const options = Object.defineProperty(
    { mechanism: sasl?.mechanism ?? 'plain', oauthBearerProvider: async () => ({ value: token }) },
    'authenticationProvider',
    {
      get: () => (builtIn === undefined ? undefined : provider),
      set: (given: BuiltInProvider) => {
        builtIn = given;
      },
    },
  );
  Object.defineProperties(options, {
    username: { get: () => login.username },
    password: { get: () => login.password },
  });
  return options as unknown as NonNullable<KafkaConfig['sasl']>;
}

/** A broker answers a token that it does not take with a success whose bytes, after their length, tell why; kafkajs would go on as if it had logged in. */
const refusal: NonNullable<SaslExchange['response']> = {
  decode: async (bytes) => bytes.length,
  parse: async (length) => {
    if (Number(length) > lengthBytes)
      throw Object.assign(new Error('The broker refused the token'), {
        name: 'KafkaJSSASLAuthenticationError',
        retriable: false,
      });
  },
};
