// oxlint-disable-next-line import/no-unassigned-import -- @peculiar/x509 needs what this import adds to Reflect
import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';

/** A certificate and its private key (PKCS#8), both PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** What a certificate is issued for. */
export interface CertificateRequest {
  readonly commonName: string;
  /** DNS names and IP addresses that the certificate is valid for; default none. */
  readonly hosts?: readonly string[];
  /** True makes a certificate whose time has passed; default false. */
  readonly expired?: boolean;
  /** True makes a certificate for a client; default false: for a server. */
  readonly client?: boolean;
}

/** A certificate authority of a test run's own. */
export interface Authority {
  /** The authority's certificate, PEM. */
  readonly ca: string;
  issue(request: CertificateRequest): Promise<KeyPair>;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** Makes a certificate authority that lives as long as this object. */
export async function createAuthority(commonName = 'Kollect test authority'): Promise<Authority> {
  x509.cryptoProvider.set(webcrypto);
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ CN: [commonName] }],
    ...validity(false),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return {
    ca: certificate.toString('pem'),
    issue: (request) => issue(request, certificate, keys.privateKey),
  };
}

async function issue(
  request: CertificateRequest,
  authority: x509.X509Certificate,
  signingKey: webcrypto.CryptoKey,
): Promise<KeyPair> {
  const { commonName, hosts = [], expired = false, client = false } = request;
  const keys = await generateKeys();
  const names = hosts.map((host) => ({ type: isIP(host) === 0 ? 'dns' : 'ip', value: host }) as const);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: [{ CN: [commonName] }],
    issuer: authority.subject,
    ...validity(expired),
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([
        client ? x509.ExtendedKeyUsage.clientAuth : x509.ExtendedKeyUsage.serverAuth,
      ]),
      await x509.AuthorityKeyIdentifierExtension.create(authority),
      ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension([...names])] : []),
    ],
  });
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return { cert: certificate.toString('pem'), key: x509.PemConverter.encode(key, 'PRIVATE KEY') };
}

async function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

// A first byte below 128: the number of a certificate is a positive integer.
function serialNumber(): string {
  return `01${randomBytes(8).toString('hex')}`;
}

function validity(expired: boolean): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  if (expired) return { notBefore: new Date(now - 2 * DAY_MS), notAfter: new Date(now - DAY_MS) };
  return { notBefore: new Date(now - HOUR_MS), notAfter: new Date(now + 365 * DAY_MS) };
}
