const quote = 0x22;
const backslash = 0x5c;
const hexDigits = Buffer.from('0123456789abcdef', 'latin1');
/** The second character of a two-character escape, by code; zero where there is none. */
const shortEscapes = new Uint8Array(0x60);
for (const [code, letter] of [
  [0x08, 'b'],
  [0x09, 't'],
  [0x0a, 'n'],
  [0x0c, 'f'],
  [0x0d, 'r'],
  [quote, '"'],
  [backslash, '\\'],
] as const) {
  shortEscapes[code] = letter.charCodeAt(0);
}

/** Writes the escape of a character below U+0080 that JSON strings cannot hold as it is; returns where it ended. */
export function writeEscape(target: Buffer, start: number, code: number): number {
  let at = start;
  const short = shortEscapes[code] ?? 0;
  target[at++] = backslash;
  if (short !== 0) {
    target[at++] = short;
    return at;
  }
  target[at++] = 0x75;
  target[at++] = 0x30;
  target[at++] = 0x30;
  target[at++] = hexDigits[code >> 4] ?? 0;
  target[at++] = hexDigits[code & 15] ?? 0;
  return at;
}
