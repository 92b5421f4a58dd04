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

/** True where a field's name says that its value is nobody's business. */
export function looksSecret(name: string): boolean {
  const words = name.replace(/([a-z0-9])([A-Z])/gu, '$1 $2').toLowerCase();
  return secretParts.test(name) || words.split(/[^a-z0-9]+/u).some((word) => secretWords.has(word));
}

const named = String.raw`(?:pass(?:word|wd|phrase)?|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key)[\w.-]*`;
/** Tokens that say themselves what they are: of GitHub, GitLab, AWS, Slack, Vault, Stripe, and every JWT. */
const tokenForms =
  /\b(?:gh[oprsu]_\w{20}|github_pat_\w{20}|glpat-[\w-]{15}|A[KS]IA[A-Z0-9]{16}|xox[abprs]-\w{8}|hv[bs]\.\w{20}|sk_live_\w{10}|eyJ[\w-]{10,256}\.[\w-]+\.)/u;
const jaas = /LoginModule\s+(?:required|requisite|sufficient|optional)/u;

/** True for text in which a password, a private key or a token stands for certain, such as a URL with user and password. */
export function holdsSecret(text: string): boolean {
  return (
    hasPasswordInUrl(text) ||
    /(?:password|passwd|passphrase|pwd)["']?\s*=\s*[^\s]/iu.test(text) ||
    /-----BEGIN [A-Z ]*PRIVATE KEY/u.test(text) ||
    jaas.test(text) ||
    tokenForms.test(text)
  );
}

/** `://user:password@` in one word: searched word by word, since one expression for all of it takes the square of the text's length. */
function hasPasswordInUrl(text: string): boolean {
  const user = /:\/\/[^\s"/@:]*:/gu;
  const end = /[\s"]|$/gu;
  while (user.test(text)) {
    const password = user.lastIndex;
    end.lastIndex = password;
    user.lastIndex = end.exec(text)?.index ?? text.length;
    if (text.slice(password + 1, user.lastIndex).includes('@')) return true;
  }
  return false;
}

/** True for text in which a secret may stand: all of `holdsSecret`, and whatever is assigned to a name that sounds like one. */
export function mayHoldSecret(text: string): boolean {
  return (
    holdsSecret(text) ||
    text.includes('-----BEGIN') ||
    new RegExp(String.raw`${named}["']?\s*[:=]`, 'iu').test(text) ||
    /\b\w*key\w*["']?\s*=/iu.test(text) ||
    /\b(?:bearer|basic)\s+[\w+/=.~-]{6}/iu.test(text) ||
    // Userinfo that somebody percent-encoded as a whole.
    /%3a.*%40/isu.test(text)
  );
}

const masks: readonly (readonly [form: RegExp, masked: string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY[^]*?(?:-----END[^-]*-----|$)/gu, '***'],
  // Up to the last "@" of the word: a password that nobody escaped may hold "/" and "@" itself.
  [/(:\/\/)[^\s"]*@/gu, '$1***@'],
  [/(^|[\s"'(,=])[^\s:"'@/()]{1,256}:(?!\/\/)[^\s"'@]{1,256}@/gu, '$1***@'],
  [new RegExp(String.raw`(${named}["']?\s*=\s*)(?:\\?["'][^"']*["']?|[^\s&;,"']+)`, 'giu'), '$1***'],
  [new RegExp(String.raw`(${named}\\?["']\s*:\s*\\?["'])[^"'\\]+`, 'giu'), '$1***'],
];

/** The text with stars in the place of what is a secret for certain: userinfo of a URL, `password=…`, private keys. */
export function maskSecrets(text: string): string {
  return masks.reduce((masked, [form, stars]) => masked.replace(form, stars), text);
}
