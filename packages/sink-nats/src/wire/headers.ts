export type NatsHeaders = Readonly<Record<string, string>>;

/** The headers of a message that came in; names as they were written, of those that come twice the first. */
export interface IncomingNatsHeaders {
  /** Of an answer that is a refusal, such as 503. */
  readonly status?: number;
  get(name: string): string | undefined;
}

const version = 'NATS/1.0';
const end = '\r\n';

/** How many bytes `headerText` has. */
export function headerBytes(headers: NatsHeaders): number {
  return Object.entries(headers).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value) + 4,
    version.length + 4,
  );
}

/** The headers of all of them as a message has them. */
export function headerText(all: readonly NatsHeaders[]): string {
  let text = `${version}${end}`;
  for (const headers of all) for (const name in headers) text += `${name}: ${headers[name]}${end}`;
  return text + end;
}

const noHeaders: IncomingNatsHeaders = { get: () => undefined };

/** Never throws: what is no header is left out. */
export function decodeHeaders(bytes: Uint8Array): IncomingNatsHeaders {
  if (bytes.length === 0) return noHeaders;
  const [first = '', ...lines] = Buffer.from(bytes).toString().split(end);
  const status = /^NATS\/1\.0 (\d{3})/u.exec(first)?.[1];
  const found = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon);
    if (colon > 0 && !found.has(name)) found.set(name, line.slice(colon + 1).trim());
  }
  return { ...(status === undefined ? {} : { status: Number(status) }), get: (name) => found.get(name) };
}
