import { createHmac } from 'node:crypto';

/** `t=1767225600,v1=<hex>`: HMAC-SHA256 of time, idempotency key and body, so that none of them can be taken for another's. */
export function sign(secret: string, key: string, body: Uint8Array, seconds = Math.floor(Date.now() / 1000)): string {
  return `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${key}.`).update(body).digest('hex')}`;
}
