import { SinkError, type Credentials, type TlsMaterial } from '@kollect/core';
import { showFieldName } from '@kollect/core/authoring';
import type { ResolvedKafkaSpec } from './kafka-spec.ts';

type SaslSpec = Pick<ResolvedKafkaSpec, 'sasl'>;
type TlsSpec = Pick<ResolvedKafkaSpec, 'tls'>;

/** Exactly what the mechanism needs. Throws SPEC_INVALID that names what is missing or unknown, and never a value. */
export function checkedCredentials({ sasl }: SaslSpec, credentials: Credentials): Credentials {
  const needed = sasl === undefined ? [] : sasl.mechanism === 'oauthbearer' ? ['token'] : ['username', 'password'];
  const given = Object.entries(credentials).flatMap(([key, value]) => (value === '' ? [] : [key]));
  const unknown = given.filter((key) => !needed.includes(key));
  if (unknown.length > 0) {
    const reads =
      sasl === undefined
        ? 'without spec.kafka.sasl the sink reads none'
        : `with sasl.mechanism ${sasl.mechanism} the sink reads ${needed.join(' and ')}`;
    throw invalid(`The credentials hold ${unknown.map(showFieldName).join(', ')}; ${reads}.`);
  }
  const missing = needed.filter((key) => !given.includes(key));
  if (missing.length > 0)
    throw invalid(
      `The credentials lack ${missing.join(' and ')}, which sasl.mechanism ${String(sasl?.mechanism)} needs.`,
    );
  // A mounted token ends in a newline, which no token holds; a password may.
  return sasl?.mechanism === 'oauthbearer' ? { token: (credentials['token'] ?? '').trim() } : credentials;
}

/** Material that the spec has a use for. Throws SPEC_INVALID where half a client certificate is given, or TLS is off. */
export function checkedTls({ tls }: TlsSpec, material: TlsMaterial): TlsMaterial {
  const { cert, key } = material;
  if (tls === undefined && Object.keys(material).length > 0) {
    throw invalid(
      `The connection holds TLS material (${Object.keys(material).join(', ')}) and spec.kafka.tls is absent: set tls: {} to encrypt, or remove the material.`,
    );
  }
  if ((cert === undefined) !== (key === undefined)) {
    throw invalid(
      `The connection holds a client ${cert === undefined ? 'key without its certificate' : 'certificate without its key'}; give both or none.`,
    );
  }
  return material;
}

function invalid(message: string): SinkError {
  return new SinkError('SPEC_INVALID', message, { sinkType: 'kafka' });
}
