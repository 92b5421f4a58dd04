/** The keywords of libpq that a connection string sets, decoded, each once. */
export type DsnKeywords = ReadonlyMap<string, string>;

export interface ReadDsn {
  readonly keywords: DsnKeywords;
  /** Whole sentences that show nothing of the string, for a slip in it may put the password anywhere. */
  readonly problems: readonly string[];
}

export const encodeIt = 'Percent-encode the characters @ / ? # % and : in user and password.';

const uriForm = /^postgres(?:ql)?:\/\/(?:([^/?#]*)@)?([^/?#@]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/iu;

/** Reads `postgresql://user:password@host:5432,host2/database?name=value`, or `host=… user=… password='…'` as libpq writes it. */
export function readDsn(dsn: string): ReadDsn {
  if (/^(["']).*\1$/su.test(dsn)) return broken('The dsn stands in quotes: remove them.');
  if (/^jdbc:/iu.test(dsn))
    return broken('The dsn is a JDBC URL: give it as postgresql://user:password@host:5432/database.');
  if (/^[a-z_]+\s*=/iu.test(dsn)) return readKeywords(dsn);
  const parts = uriForm.exec(dsn);
  if (parts === null)
    return broken(
      `The dsn is not of the form postgresql://user:password@host:5432/database, and not of host=… user=… dbname=…. ${encodeIt}`,
    );
  return readUri(parts.slice(1).map((part) => part ?? ''));
}

function broken(problem: string): ReadDsn {
  return { keywords: new Map(), problems: [problem] };
}

function readUri([login = '', address = '', database = '', query = '']: readonly string[]): ReadDsn {
  if (/@/u.test(database) || login.includes('@'))
    return broken(`The dsn holds an @ that is not percent-encoded. ${encodeIt}`);
  const colon = login.indexOf(':');
  const [user, password] = colon === -1 ? [login, ''] : [login.slice(0, colon), login.slice(colon + 1)];
  const { hosts, ports } = splitAddresses(address);
  const written: (readonly [string, string])[] = [
    ['user', user],
    ['password', password],
    ['host', hosts],
    ['port', ports],
    ['dbname', database],
    ...query
      .split('&')
      .filter((part) => part !== '')
      .map((part): readonly [string, string] => {
        const equals = part.indexOf('=');
        return equals === -1 ? [part, ''] : [part.slice(0, equals), part.slice(equals + 1)];
      }),
  ];
  return collect(written, decode);
}

/** `a:1,[::1],b:2` as the two lists that libpq makes of it: hosts, and ports, empty where one has none. */
function splitAddresses(address: string): { readonly hosts: string; readonly ports: string } {
  const each = address.split(',').map((part) => /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/su.exec(part) ?? [part, part]);
  const ports = each.map(([, , port]) => port ?? '');
  return {
    hosts: each.map(([, host]) => host ?? '').join(','),
    ports: ports.every((port) => port === '') ? '' : ports.join(','),
  };
}

const pair = /\s*([a-z_]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)*))(?=\s|$)/isuy;

function readKeywords(dsn: string): ReadDsn {
  const written: (readonly [string, string])[] = [];
  pair.lastIndex = 0;
  while (pair.lastIndex < dsn.trimEnd().length) {
    const found = pair.exec(dsn);
    if (found === null)
      return broken(
        "The dsn is not of the form host=… user=… password='…': put a value with spaces, quotes or backslashes into single quotes, and a backslash before ' and \\.",
      );
    const [, keyword = '', quoted, bare = ''] = found;
    written.push([keyword.toLowerCase(), (quoted ?? bare).replaceAll(/\\(.)/gsu, '$1')]);
  }
  return collect(written, (text) => text);
}

/** What a string of the first form has in places of their own, where nothing means nothing. */
const partKeywords = new Set(['user', 'password', 'host', 'port', 'dbname']);

function collect(
  written: readonly (readonly [string, string])[],
  decodeText: (text: string) => string | undefined,
): ReadDsn {
  const keywords = new Map<string, string>();
  const problems = new Set<string>();
  for (const [keyword, text] of written) {
    const [name, value] = [decodeText(keyword), decodeText(text)];
    if (name === undefined || value === undefined)
      problems.add(`The dsn holds a % that begins no percent-encoding. ${encodeIt}`);
    else if (value === '' && partKeywords.has(name)) continue;
    else if (keywords.has(name)) problems.add('The dsn says the same thing twice; say it once.');
    else keywords.set(name, value);
  }
  return { keywords, problems: [...problems] };
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
