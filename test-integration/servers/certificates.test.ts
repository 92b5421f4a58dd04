import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { describe, expect, test } from '@jest/globals';
import { createAuthority, type CertificateRequest } from './index.ts';

/** Serves with a certificate for the request and connects as a client that trusts the authority; resolves to the client's error code. */
async function handshake(
  request: CertificateRequest,
  trusted: 'own' | 'other' = 'own',
  servername = 'db.example',
): Promise<string> {
  const authority = await createAuthority();
  const { ca } = trusted === 'own' ? authority : await createAuthority();
  const server = createServer({ ...(await authority.issue(request)) });
  // A client that does not trust the server ends the handshake: that is what is tested.
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const client = connect({ port, host: '127.0.0.1', ca, servername });
  const result = await new Promise<string>((resolve) => {
    client.once('secureConnect', () => resolve('trusted'));
    client.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
  client.destroy();
  server.close();
  return result;
}

describe('a certificate', () => {
  const request = { commonName: 'db', hosts: ['db.example', '127.0.0.1'] };
  test.each([
    ['is trusted by who trusts the authority', request, 'own', 'db.example', 'trusted'],
    ['of another authority is not', request, 'other', 'db.example', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['that has expired is not', { ...request, expired: true }, 'own', 'db.example', 'CERT_HAS_EXPIRED'],
    ['for another host is not', request, 'own', 'elsewhere.example', 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['for clients is not one for servers', { ...request, client: true }, 'own', 'db.example', 'INVALID_PURPOSE'],
  ] as const)('%s', async (_, wanted, trusted, servername, expected) => {
    expect(await handshake(wanted, trusted, servername)).toBe(expected);
  });

  test('names its hosts and holds its private key as PKCS#8', async () => {
    const authority = await createAuthority();
    const { cert, key } = await authority.issue(request);
    expect(new X509Certificate(cert).subjectAltName).toBe('DNS:db.example, IP Address:127.0.0.1');
    expect(new X509Certificate(cert).verify(new X509Certificate(authority.ca).publicKey)).toBe(true);
    expect(key).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
  });

  test('for a client opens a server that asks for one', async () => {
    const authority = await createAuthority();
    const server = createServer({
      ...(await authority.issue(request)),
      ca: authority.ca,
      requestCert: true,
      rejectUnauthorized: true,
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    const accepted = once(server, 'secureConnection');
    const client = connect({
      port,
      host: '127.0.0.1',
      servername: 'db.example',
      ca: authority.ca,
      ...(await authority.issue({ commonName: 'someone', client: true })),
    });
    const [socket]: TLSSocket[] = await accepted;
    expect(socket?.getPeerCertificate().subject.CN).toBe('someone');
    client.destroy();
    server.close();
  });
});
