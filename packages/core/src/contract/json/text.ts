/** False where the text holds half of a surrogate pair, which UTF-8 cannot carry. */
export function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

/** False where the text could not stand in a name, a message or a key: control characters, lone surrogates. */
export function isPrintable(text: string): boolean {
  return !/[\p{Control}\p{Surrogate}]/u.test(text);
}

/** Text with U+FFFD in the place of what a store cannot hold: U+0000 and lone surrogates. */
export function sanitizeText(text: string): string {
  return text.replaceAll(/[\0\p{Surrogate}]/gu, '\ufffd');
}
