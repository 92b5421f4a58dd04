import { fromSeed } from '@nats-io/nkeys';
import { SinkError, type Credentials, type SinkContext, type TlsMaterial } from '@kollect/core';
import { checkLogin, type LoginForm, type SinkTls } from '@kollect/core/authoring';
import type { ResolvedNatsSpec } from './nats-spec.ts';
import type { ConnectFields } from './wire/connection.ts';

export type NatsLoginForm = 'creds' | 'nkey' | 'jwt' | 'token' | 'password' | 'none';

const forms: readonly LoginForm<NatsLoginForm>[] = [
  { name: 'creds', needs: ['creds'], files: ['creds'] },
  { name: 'nkey', needs: ['nkey'] },
  { name: 'jwt', needs: ['jwt', 'seed'] },
  { name: 'token', needs: ['token'] },
  { name: 'password', needs: ['username', 'password'] },
  { name: 'none', needs: [] },
];

export interface NatsLogin {
  readonly form: NatsLoginForm;
  readonly tls: SinkTls | undefined;
  /** What CONNECT says; a key signs the nonce of the server. */
  readonly fields: (nonce: string | undefined) => ConnectFields;
}

/** Asks the host, and checks that what it gives is one login. Throws SPEC_INVALID that names the fields, and never a value. */
export async function readNatsLogin(
  context: Pick<SinkContext<ResolvedNatsSpec>, 'credentials' | 'tls' | 'spec'>,
): Promise<NatsLogin> {
  return checkNatsLogin(context.spec, ...(await Promise.all([context.credentials(), context.tls()])));
}

/** As `readNatsLogin`, of what was read already. */
export function checkNatsLogin(
  spec: Pick<ResolvedNatsSpec, 'tls'>,
  credentials: Credentials,
  material: TlsMaterial,
): NatsLogin {
  const { form, fields, tls } = checkLogin(credentials, material, { sinkType: 'nats', forms, tls: spec.tls });
  const { creds = '', nkey = '', jwt = '', seed = '', token = '', username = '', password = '' } = fields;
  switch (form) {
    case 'creds': {
      const parts = partsOf(creds);
      return { form, tls, fields: signer('creds', parts.seed, parts.jwt) };
    }
    case 'nkey':
      return { form, tls, fields: signer('nkey', nkey) };
    case 'jwt':
      return { form, tls, fields: signer('seed', seed, jwt) };
    case 'token':
      return { form, tls, fields: () => ({ auth_token: token }) };
    case 'password':
      return { form, tls, fields: () => ({ user: username, pass: password }) };
    default:
      return { form, tls, fields: () => ({}) };
  }
}

/** A creds file holds two blocks between lines of dashes: the JWT and the seed. */
function partsOf(creds: string): { readonly jwt: string; readonly seed: string } {
  const [jwt, seed] = creds
    .split(/^[ \t]*-{3,}[^\n]*-{3,}[ \t]*\r?$/mu)
    .map((block) => block.trim())
    .filter((block) => /^[\w.=-]+$/u.test(block));
  if (jwt === undefined || seed === undefined)
    throw invalid('creds', 'expected the file that nsc writes, with a JWT and a seed between lines of dashes');
  return { jwt, seed };
}

function signer(field: string, seed: string, jwt?: string): NatsLogin['fields'] {
  const key = ((): ReturnType<typeof fromSeed> => {
    try {
      return fromSeed(Buffer.from(seed.trim()));
    } catch {
      throw invalid(field, 'expected the seed of a user, such as SU…');
    }
  })();
  const who = jwt === undefined ? { nkey: key.getPublicKey() } : { jwt, nkey: key.getPublicKey() };
  return (nonce) => ({
    ...who,
    ...(nonce === undefined ? {} : { sig: Buffer.from(key.sign(Buffer.from(nonce))).toString('base64url') }),
  });
}

function invalid(field: string, expected: string): SinkError {
  return new SinkError('SPEC_INVALID', `The credentials: ${field} cannot be read: ${expected}.`, { sinkType: 'nats' });
}
