import type { SpecSchema } from '../../registry/spec-schema.ts';
import { parseHost } from '../server-address.ts';

/** How a connection is encrypted. `require` encrypts and checks nothing; a sink offers it only where its field knows it, as libpq does. */
export type TlsMode = 'verify-full' | 'verify-ca' | 'require' | 'disable';

/** `spec.<type>.tls`, as resolved. */
export interface TlsSpec {
  readonly mode: TlsMode;
  readonly serverName?: string;
}

const serverName = {
  type: 'string',
  minLength: 1,
  maxLength: 253,
  description: 'Name that the certificate of the server must carry. Default: the host that is dialled.',
} as const;

/** The schema of `tls` that all sinks share: the same words mean the same everywhere. */
export const tlsSpecSchema = {
  type: 'object',
  additionalProperties: false,
  description: 'How connections are encrypted; CA, client certificate and key come from the connection, not from here.',
  properties: {
    mode: {
      type: 'string',
      enum: ['verify-full', 'verify-ca', 'disable'],
      default: 'verify-full',
      description: 'verify-full: chain and host name checked. verify-ca: chain checked. disable: not encrypted.',
    },
    serverName,
  },
} as const satisfies SpecSchema;

/** What is wrong with the spec's `tls`, each with the field in front: `tls.serverName: expected a host name…`. Never repeats a value. */
export function tlsSpecProblems({ mode, serverName }: TlsSpec): readonly string[] {
  if (serverName === undefined) return [];
  const { problem } = parseHost(serverName);
  return [
    ...(problem === undefined
      ? []
      : [`tls.serverName: expected the name of a certificate, such as "db.example", or an IP address: ${problem}`]),
    ...(mode === 'disable' ? ['tls.serverName: has no meaning with mode disable; remove one of the two'] : []),
  ];
}
