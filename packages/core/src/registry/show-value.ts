const secretWords = new Set([
  'password',
  'passwords',
  'passwd',
  'pwd',
  'passphrase',
  'pass',
  'dsn',
  'token',
  'tokens',
  'key',
  'keys',
  'secret',
  'secrets',
]);
const secretParts = /password|passwd|passphrase|secret|credential|token|apikey|privatekey/iu;
const maxShownLength = 60;

/** True where a field's name says that its value is nobody's business. */
export function looksSecret(name: string): boolean {
  const words = name.replace(/([a-z0-9])([A-Z])/gu, '$1 $2').toLowerCase();
  return secretParts.test(name) || words.split(/[^a-z0-9]+/u).some((word) => secretWords.has(word));
}

/** The text in quotes, shortened, without what is or may be a secret inside it: userinfo of a URL, `password=…`, PEM. */
export function showText(text: string): string {
  if (text.includes('-----BEGIN') || /\b\w*(?:password|passwd|pwd|secret|token|key)\w*\s*=/iu.test(text))
    return 'text that is not shown because it may hold a secret';
  // Up to the last "@": a password that nobody escaped may hold "/" and "@" itself.
  const masked = text.replace(/^(.*?:\/\/).*@/su, '$1***@').replace(/^(?!.*:\/\/)[^:]*:.*@/su, '***@');
  const shown = masked.length > maxShownLength ? `${masked.slice(0, maxShownLength)}…` : masked;
  return JSON.stringify(shown);
}

/** Type and short value of what was found, for a message; objects and arrays are never spelled out. */
export function showValue(value: unknown, options: { readonly secret: boolean }): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return `an array of ${String(value.length)}`;
  if (typeof value === 'object') return 'an object';
  if (options.secret) return `a ${typeof value} that is not shown because it may be a secret`;
  if (typeof value === 'string') return value === '' ? 'an empty string' : `the string ${showText(value)}`;
  if (typeof value === 'number' || typeof value === 'boolean') return `the ${typeof value} ${String(value)}`;
  return `a ${typeof value}`;
}
