import { isIP } from 'node:net';
import { checkServerIdentity, createSecureContext, type ConnectionOptions } from 'node:tls';
import { SinkError } from '../../contract/errors/errors.ts';
import type { TlsMaterial } from '../../registry/sink-context.ts';
import type { TlsSpec } from './tls-spec.ts';

export interface TlsOptionsInput {
  readonly sinkType: string;
  /** Absent: the spec says nothing of TLS, and connections are not encrypted. */
  readonly tls: TlsSpec | undefined;
  readonly material: TlsMaterial;
}

/** Checked material and mode: `for(host)` gives what `tls.connect` takes for a server of that name or IP address. */
export interface SinkTls {
  readonly for: (host: string) => ConnectionOptions;
}

/**
 * TLS of a sink, undefined where it is off. Throws SPEC_INVALID where half a client certificate is given, where material is given and TLS is
 * off, and where the material cannot be read; no message holds any of it.
 */
export function tlsOptions({ sinkType, tls, material }: TlsOptionsInput): SinkTls | undefined {
  const { ca, cert, key } = given(material);
  const invalid = (message: string): SinkError => new SinkError('SPEC_INVALID', message, { sinkType });
  if ((cert === undefined) !== (key === undefined)) {
    const half = cert === undefined ? 'key without its certificate' : 'certificate without its key';
    throw invalid(`The connection holds a client ${half}; give both or none.`);
  }
  if (tls === undefined || tls.mode === 'disable') {
    const fields = Object.keys(given(material));
    if (fields.length === 0) return undefined;
    const off = tls === undefined ? 'is absent' : 'is { mode: disable }';
    throw invalid(
      `The connection holds TLS material (${fields.join(', ')}) and spec.${sinkType}.tls ${off}: set tls: {} to encrypt, or remove the material.`,
    );
  }
  const secureContext = readMaterial({ ca, cert, key }, invalid);
  return {
    for: (host) => {
      const name = tls.serverName ?? host;
      return {
        secureContext,
        // An IP address is no server name.
        ...(isIP(name) === 0 ? { servername: name } : {}),
        rejectUnauthorized: tls.mode !== 'require',
        // By our own name: Node checks an IP address as "localhost" on a given socket, and clients set names of theirs.
        checkServerIdentity:
          tls.mode === 'verify-full' ? (_name, certificate) => checkServerIdentity(name, certificate) : () => undefined,
      };
    },
  };
}

/** An empty field counts as none: an optional file that is not mounted. */
function given({ ca, cert, key }: TlsMaterial): TlsMaterial {
  return {
    ...(ca === undefined || ca === '' ? {} : { ca }),
    ...(cert === undefined || cert === '' ? {} : { cert }),
    ...(key === undefined || key === '' ? {} : { key }),
  };
}

type Material = { readonly [Field in keyof TlsMaterial]: TlsMaterial[Field] | undefined };

function readMaterial(
  { ca, cert, key }: Material,
  invalid: (message: string) => SinkError,
): ConnectionOptions['secureContext'] {
  if (ca !== undefined && !isReadable({ ca }))
    throw invalid('The ca of the connection holds no certificate that can be read.');
  if (cert === undefined || key === undefined) return createSecureContext(ca === undefined ? {} : { ca });
  if (!isReadable({ cert })) throw invalid('The cert of the connection holds no certificate that can be read.');
  if (!isReadable({ key }))
    throw invalid('The key of the connection cannot be read: give it as PEM, without a passphrase.');
  if (!isReadable({ cert, key }))
    throw invalid('The key of the connection does not belong to its cert; give both of one pair.');
  return createSecureContext({ ...(ca === undefined ? {} : { ca }), cert, key });
}

/** The error of OpenSSL says less than which field it was. */
function isReadable(material: TlsMaterial): boolean {
  try {
    createSecureContext({ ...material });
    return true;
  } catch {
    return false;
  }
}
