import { celText } from '../crds/cel.ts';

/**
 * What a policy can say of secrets: expressions that CEL (RE2) and JavaScript read alike, on text in lower ASCII letters, and bounded, so that
 * JavaScript takes no square of the length. The sink's own parser knows more forms.
 */
const secretForms = [
  // A URL with user and password.
  String.raw`://[^ \t\r\n"/@:]{0,256}:[^ \t\r\n"]{1,128}@`,
  `(password|passwd|passphrase|pwd)["']?[ \\t]{0,16}=[ \\t]{0,16}[^ \\t]`,
  '-----begin [a-z ]{0,64}private key',
  String.raw`(^|[^\w])(gh[oprsu]_\w{20}|github_pat_\w{20}|glpat-[\w-]{15}|xox[abprs]-\w{8}|hv[bs][.]\w{20}|sk_live_\w{10}|a[ks]ia[a-z0-9]{16})`,
].join('|');

const privateKey = '-----begin [a-z ]{0,64}private key';

const secretName =
  '(password|passwd|passphrase|pwd|secret|token|credentials?|authorization|cookie|(api|access|private)[-_.]?key)$';

/** What is asked of a text, in both languages. */
interface TextTest {
  readonly test: (text: string) => boolean;
  readonly cel: (text: string) => string;
}

/** A text that holds a secret for certain. */
export const secretText: TextTest = lowerTextTest(secretForms);

/** A text that holds a private key: of certificates nothing else is asked. */
export const privateKeyText: TextTest = lowerTextTest(privateKey);

/** A name whose value is a secret: `password`, `accessToken`, `X-Api-Key`. */
export const secretFieldName: TextTest = lowerTextTest(secretName);

function lowerTextTest(form: string): TextTest {
  const expression = new RegExp(form, 'u');
  return {
    test: (text) => expression.test(lowerAscii(text)),
    cel: (text) => `${text}.lowerAscii().matches(${celText(form)})`,
  };
}

/** As `lowerAscii` of CEL: no other letter becomes an ASCII one. */
export function lowerAscii(text: string): string {
  return text.replaceAll(/[A-Z]+/gu, (letters) => letters.toLowerCase());
}
