import { maskSecrets } from './secrets.ts';

/** Bytes of UTF-8 that a message may have. */
export const maxMessageBytes = 2048;

/** What is looked at of a longer one: head and tail, since the remedy stands at the end. */
const readable = { head: 6144, tail: 2048 };
const shown = { head: 1536, tail: 500 };
const mark = ' … ';

/** Characters that forge lines of a log or command a terminal, and those that turn the direction of text. */
const unprintable = /[\p{Control}\p{Surrogate}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/** The text as a message may hold it: one line, at most 2 KB, control characters escaped, secrets masked. */
export function safeMessage(text: string): string {
  // What ends with a question for the reader gets no second mark.
  return fit(
    maskSecrets(shorten(text))
      .replace(unprintable, escape)
      .replace(/\?\.(?=\s|$)/gu, '?'),
  );
}

function escape(character: string): string {
  const short = { '\n': String.raw`\n`, '\r': String.raw`\r`, '\t': String.raw`\t` }[character];
  return short ?? String.raw`\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function shorten(text: string): string {
  if (text.length <= readable.head + readable.tail) return text;
  return text.slice(0, readable.head) + mark + text.slice(-readable.tail);
}

function fit(text: string): string {
  if (Buffer.byteLength(text) <= maxMessageBytes) return text;
  return firstBytes(text, shown.head) + mark + lastBytes(text, shown.tail);
}

function firstBytes(text: string, bytes: number): string {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(bytes));
  return text.slice(0, read);
}

function lastBytes(text: string, bytes: number): string {
  const characters = Array.from(text.slice(-bytes));
  let size = Buffer.byteLength(characters.join(''));
  let start = 0;
  while (size > bytes) size -= Buffer.byteLength(characters[start++] ?? '');
  // A pair that the slice cut in halves leaves one that is no character.
  return characters
    .slice(start)
    .join('')
    .replace(/^[\udc00-\udfff]/u, '');
}
