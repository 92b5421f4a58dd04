import { createHash } from 'node:crypto';
import { createAccount, createOperator, createUser, type KeyPair } from '@nats-io/nkeys';

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A JWT of NATS, signed by the key of whoever is above. */
function jwt(subject: KeyPair, name: string, issuer: KeyPair, nats: object, expires?: number): string {
  const claims = {
    iat: Math.floor(Date.now() / 1_000),
    ...(expires === undefined ? {} : { exp: expires }),
    iss: issuer.getPublicKey(),
    name,
    sub: subject.getPublicKey(),
    nats: { version: 2, ...nats },
  };
  const jti = createHash('sha256').update(JSON.stringify(claims)).digest('hex');
  const signed = `${encoded({ typ: 'JWT', alg: 'ed25519-nkey' })}.${encoded({ ...claims, jti })}`;
  return `${signed}.${Buffer.from(issuer.sign(Buffer.from(signed))).toString('base64url')}`;
}

export interface TestUser {
  readonly jwt: string;
  readonly seed: string;
  /** The content of a creds file. */
  readonly creds: string;
}

/** An operator with an account that has JetStream, as `nsc` would make them. */
export function makeOperator() {
  const [operator, system, account] = [createOperator(), createAccount(), createAccount()];
  const unlimited = {
    subs: -1,
    data: -1,
    payload: -1,
    imports: -1,
    exports: -1,
    wildcards: true,
    conn: -1,
    leaf: -1,
  };
  const store = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };
  const accountJwt = jwt(account, 'tests', operator, { type: 'account', limits: { ...unlimited, ...store } });
  const systemJwt = jwt(system, 'SYS', operator, { type: 'account', limits: unlimited });
  const user = ({
    issuer = account,
    expires,
  }: { readonly issuer?: KeyPair; readonly expires?: number } = {}): TestUser => {
    const key = createUser();
    const seed = Buffer.from(key.getSeed()).toString();
    const token = jwt(key, 'exporter', issuer, { type: 'user', subs: -1, data: -1, payload: -1 }, expires);
    const creds = `-----BEGIN NATS USER JWT-----\n${token}\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`;
    return { jwt: token, seed, creds };
  };
  return {
    config: [
      `operator: "${jwt(operator, 'operator', operator, { type: 'operator', system_account: system.getPublicKey() })}"`,
      `system_account: "${system.getPublicKey()}"`,
      'resolver: MEMORY',
      `resolver_preload { ${account.getPublicKey()}: "${accountJwt}", ${system.getPublicKey()}: "${systemJwt}" }`,
    ].join('\n'),
    user,
    foreignUser: () => user({ issuer: createAccount() }),
    expiredUser: () => user({ expires: Math.floor(Date.now() / 1_000) - 60 }),
  };
}
