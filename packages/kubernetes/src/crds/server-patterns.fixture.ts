/** Patterns that the API server reads as JavaScript does. */
export const readByServer: readonly string[] = [
  '^[a-z]+$',
  String.raw`^\d{1,3}(\.\d{1,3}){3}$`,
  String.raw`^\\1$`,
  String.raw`^[\w.\-/]+\/$`,
  String.raw`^\p{L}\P{Lu}$`,
  '^(?:a|b)(?<name>c)?$',
  '^a{1,}$',
  '^[a-z]{1000}$',
];

/** Patterns that it cannot read. */
export const notReadByServer: readonly string[] = [
  '^(?!secret)',
  '^(?=.*a)',
  '(?<=a)b',
  '(?<!a)b',
  String.raw`^(a)\1$`,
  String.raw`(?<n>a)\k<n>`,
  String.raw`^\u0041$`,
  String.raw`^\u{1F600}$`,
  String.raw`\cA`,
  String.raw`^\p{Script=Greek}$`,
  String.raw`^\p{Letter}$`,
  '^[^]$',
  '^[]$',
  '^a{1001}$',
  '^a{2,2000}$',
  '^(a{50}){21}$',
];
