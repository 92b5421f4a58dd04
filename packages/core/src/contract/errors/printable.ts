import { SinkError } from './errors.ts';

const names: Readonly<Record<string, string>> = {
  '\n': 'a line break',
  '\r': 'a line break',
  '\t': 'a tab',
  '\0': 'the character U+0000',
};

/** What of the text no name and no field of a wire protocol can hold, such as `a line break at character 3`; undefined where it is clean. */
export function unprintablePart(text: string): string | undefined {
  const found = /[\p{Control}\p{Surrogate}]/u.exec(text);
  if (found === null) return undefined;
  const code = found[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
  return `${names[found[0]] ?? `the character U+${code}`} at character ${String(found.index + 1)}`;
}

/**
 * The text, where it can stand in a field of a wire protocol, in a name or a header. Throws SPEC_INVALID naming `field`, such as
 * `The credentials: username`, for control characters (U+0000, line breaks, …) and half surrogate pairs; shows nothing of the text.
 */
export function requirePrintable(text: string, field: string, sinkType?: string): string {
  const part = unprintablePart(text);
  if (part === undefined) return text;
  throw new SinkError('SPEC_INVALID', `${field} holds ${part}, which it cannot carry: remove it.`, {
    sinkType,
    operation: 'create',
  });
}
