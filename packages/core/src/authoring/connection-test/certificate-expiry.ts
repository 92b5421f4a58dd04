import { X509Certificate } from 'node:crypto';
import type { Finding } from './finding.ts';

export interface CertificateExpiryOptions {
  /** Whose it is, for messages: `the certificate of the server`. */
  readonly subject: string;
  /** Milliseconds since 1970; default now. */
  readonly now?: number;
}

export interface CertificateExpiry {
  /** Milliseconds since 1970. */
  readonly validTo: number;
  /** Whole days, below zero once it has expired. */
  readonly daysLeft: number;
  /** `the certificate of the server is valid until 2026-01-01T00:00:00.000Z`. */
  readonly found: string;
  /** Where it ends within two weeks: what a step of a connection test warns of. */
  readonly warning?: NonNullable<Finding<unknown>['warning']>;
}

const dayMs = 86_400_000;
const soonDays = 14;

/** When a certificate ends: of the other side (`socket.getPeerCertificate()`) or our own, as PEM. Undefined where it does not say. */
export function certificateExpiry(
  certificate: string | { readonly valid_to: string },
  { subject, now = Date.now() }: CertificateExpiryOptions,
): CertificateExpiry | undefined {
  const validTo = Date.parse(typeof certificate === 'string' ? validToOf(certificate) : certificate.valid_to);
  if (Number.isNaN(validTo)) return undefined;
  const daysLeft = Math.floor((validTo - now) / dayMs);
  const found = `${subject} is valid until ${new Date(validTo).toISOString()}`;
  if (daysLeft >= soonDays) return { validTo, daysLeft, found };
  const when =
    daysLeft < 0 ? 'it has expired' : `it expires in ${daysLeft === 1 ? '1 day' : `${String(daysLeft)} days`}`;
  return { validTo, daysLeft, found, warning: { code: 'TLS_FAILED', remedy: `Renew ${subject}: ${when}.` } };
}

function validToOf(pem: string): string {
  try {
    return new X509Certificate(pem).validTo;
  } catch {
    return '';
  }
}
