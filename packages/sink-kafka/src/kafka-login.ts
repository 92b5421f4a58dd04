import type { Credentials, TlsMaterial } from '@kollect/core';
import { checkCredentials, tlsOptions, type LoginForm, type SinkTls } from '@kollect/core/authoring';
import type { ResolvedKafkaSpec } from './kafka-spec.ts';

const password: LoginForm = { name: 'password', needs: ['username', 'password'] };
const token: LoginForm = { name: 'token', needs: ['token'] };
const none: LoginForm = { name: 'none', needs: [] };

/** Exactly what the mechanism needs. Throws SPEC_INVALID that names what is missing or unknown, and never a value. */
export function checkedCredentials({ sasl }: Pick<ResolvedKafkaSpec, 'sasl'>, credentials: Credentials): Credentials {
  const form = sasl === undefined ? none : sasl.mechanism === 'oauthbearer' ? token : password;
  const when = sasl === undefined ? 'without spec.kafka.sasl' : `with sasl.mechanism ${sasl.mechanism}`;
  return checkCredentials(credentials, { sinkType: 'kafka', forms: [form], when }).fields;
}

/** How brokers are greeted and checked; undefined where connections are not encrypted. Throws SPEC_INVALID where the spec has no use for the material. */
export function checkedTls({ tls }: Pick<ResolvedKafkaSpec, 'tls'>, material: TlsMaterial): SinkTls | undefined {
  return tlsOptions({ sinkType: 'kafka', tls, material });
}
