import { createHmac, timingSafeEqual } from 'node:crypto';

const toleranceMs = 5 * 60_000;

/** `t=1767225600,v1=<hex>`: HMAC-SHA256 of time, idempotency key and body, so that none of them can be taken for another's. */
export function sign(secret: string, key: string, body: Uint8Array, seconds = Math.floor(Date.now() / 1000)): string {
  return `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${key}.`).update(body).digest('hex')}`;
}

/** For the receiver: whether one of the secrets signed it in the last minutes. While a secret is rotated, both are good. */
export function isSigned(secrets: readonly string[], key: string, body: Uint8Array, signature: string): boolean {
  const seconds = Number(/^t=(\d{1,12}),/u.exec(signature)?.[1]);
  if (!(Math.abs(Date.now() - seconds * 1000) < toleranceMs)) return false;
  const given = Buffer.from(signature);
  return secrets.some((secret) => {
    const expected = Buffer.from(sign(secret, key, body, seconds));
    return expected.length === given.length && timingSafeEqual(expected, given);
  });
}
