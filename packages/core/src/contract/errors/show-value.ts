import { mayHoldSecret } from './secrets.ts';

const maxShownLength = 80;
/** To look for secrets in a longer one would take time that whoever sent it chooses. */
const maxJudgedLength = 2_048;

/**
 * The text in quotes, as a message may show it: escaped, at most 80 characters, and nothing that is or may be a secret. Of a URL scheme and
 * host are shown, of `user:password@host` the host. The one way by which a value of a user gets into a message.
 */
export function showText(text: string): string {
  if (text.length > maxJudgedLength) return `text of ${String(text.length)} characters that is not shown`;
  if (mayHoldSecret(withoutUserinfo(text))) return 'text that is not shown because it may hold a secret';
  const masked = withoutUserinfo(text).replace(/^([a-z][a-z0-9+.-]{0,30}:\/\/[^/?#]*)[/?#].+$/isu, '$1/…');
  return JSON.stringify(masked.length > maxShownLength ? `${cut(masked)}…` : masked);
}

/** True where `showText` hides nothing of it: a token may be made of the same characters as a name. */
export function isShownWhole(text: string): boolean {
  return showText(text) === JSON.stringify(text);
}

/** Up to the last "@": a password that nobody escaped may hold "/" and "@" itself. */
function withoutUserinfo(text: string): string {
  const at = text.lastIndexOf('@');
  const before = text.slice(0, Math.max(at, 0));
  const scheme = /^[a-z][a-z0-9+.-]{0,30}:\/\//iu.exec(before)?.[0];
  if (scheme !== undefined) return `${scheme}***${text.slice(at)}`;
  return /[:/]/u.test(before) ? `***${text.slice(at)}` : text;
}

/** Never inside of a surrogate pair. */
function cut(text: string): string {
  return text.slice(0, maxShownLength).replace(/[\ud800-\udbff]$/u, '');
}

/** Type and short value of what was found, for a message; objects and arrays are never spelled out. */
export function showValue(value: unknown, options: { readonly secret: boolean }): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (isList(value)) return `an array of ${String(value.length)}`;
  if (typeof value === 'object') return 'an object';
  if (options.secret) return `a ${typeof value} that is not shown because it may be a secret`;
  if (typeof value === 'string') return value === '' ? 'an empty string' : `the string ${showText(value)}`;
  if (typeof value === 'number' || typeof value === 'boolean') return `the ${typeof value} ${String(value)}`;
  return `a ${typeof value}`;
}

/** `Array.isArray` throws for a proxy that was revoked. */
export function isList(value: unknown): value is readonly unknown[] {
  try {
    return Array.isArray(value) && typeof value.length === 'number';
  } catch {
    return false;
  }
}

const credentialWords = new Set(
  (
    'access account api app auth authority ca cert certificate channel chain client cluster config credentials crt database db dbname dsn endpoint file fqdn ' +
    'host hosts id jaas jdbc key keystore login mechanism mode name p12 passphrase passwd password pem pgpass port private protocol pwd region root sasl ' +
    'schema secret security server service session ssl sslmode store tls token truststore type uri url user username vhost'
  ).split(' '),
);

/**
 * A name of a field in credentials, for a message: in quotes where it is made of words that such fields are named by, else its length alone.
 * Where keys and values were mixed up, the name is the secret.
 */
export function showFieldName(name: string): string {
  const words = name.replace(/([a-z0-9])([A-Z])/gu, '$1 $2').toLowerCase();
  const isKnown = name.length <= 64 && words.split(/[\s._-]+/u).every((word) => credentialWords.has(word));
  return isKnown
    ? JSON.stringify(name)
    : `a field whose name of ${String(name.length)} characters is not shown because it may be a secret`;
}
