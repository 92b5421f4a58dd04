/** What an API server takes in one request. */
const mostBytes = 3 * 1024 * 1024;
/** Values and the lists and objects that hold them; an object with its old state and its managed fields has some hundreds. */
const mostValues = 20_000;

/** JSON of a size whose parsing takes no time to speak of; undefined where it is larger, or none. Nothing is parsed before it was measured. */
export function parseBounded(given: string | Uint8Array): unknown {
  if (given.length > mostBytes) return undefined;
  const text = typeof given === 'string' ? given : Buffer.from(given.buffer, given.byteOffset, given.length).toString();
  if (valuesOf(text) > mostValues) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** At least as many as there are: those that stand in a text are counted, too. */
function valuesOf(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length && count <= mostValues; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x2c || code === 0x5b || code === 0x7b) count += 1; // , [ {
  }
  return count;
}

/** The head of a review is where an API server writes the uid. */
const headLength = 4_096;

/** The uid of a review that cannot be read as a whole. */
export function uidInHead(given: string | Uint8Array): string {
  const head =
    typeof given === 'string' ? given.slice(0, headLength) : Buffer.from(given.slice(0, headLength)).toString();
  return /"request"\s{0,16}:\s{0,16}\{\s{0,16}"uid"\s{0,16}:\s{0,16}"([\w-]{1,128})"/u.exec(head)?.[1] ?? '';
}

const mostSpecValues = 5_000;
const mostDepth = 32;
const longestText = 16_384;
/** All texts together, but for certificates. */
const mostText = 65_536;
/** Certificates, by the name of their field. */
const longestBundle = 262_144;

/** What of a spec is larger than any that can be meant; undefined where nothing is. Looks at no more than it allows. */
export function tooLarge(spec: unknown): string | undefined {
  const rest: [value: unknown, depth: number, key: string][] = [[spec, 0, '']];
  let [values, texts] = [0, 0];
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    const [value, depth, key] = next;
    values += 1;
    const length = key.length + (typeof value === 'string' ? value.length : 0);
    if (length > (key === 'bundle' ? longestBundle : longestText)) return 'holds a text that is too long';
    texts += key === 'bundle' ? 0 : length;
    if (texts > mostText) return 'holds too much text';
    if (depth > mostDepth) return 'holds too many objects in each other';
    if (typeof value !== 'object' || value === null) continue;
    for (const name in value) {
      if (values + rest.length > mostSpecValues) return 'holds too many values';
      rest.push([(value as Readonly<Record<string, unknown>>)[name], depth + 1, Array.isArray(value) ? '' : name]);
    }
  }
  return undefined;
}
