import { LineCounter, parseAllDocuments, type Document } from 'yaml';
import { UserError } from './user-error.ts';

/** An object as a manifest or `kubectl get -o json` holds it; the uid is missing in files. */
export interface ManifestObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec?: { readonly replicas?: number; readonly [field: string]: unknown };
}

/** A parsed value and where it stands, for messages: `apps.yaml:12`. */
interface Located {
  readonly value: unknown;
  readonly where: () => string;
}

/** The objects of one YAML or JSON text, lists taken apart. `source` names it in errors, which say file and line. */
export function parseManifests(text: string, source: string): ManifestObject[] {
  return parseJson(text, source) ?? parseYaml(text, source);
}

/** JSON is YAML too, and ten times faster to read as what it is; undefined where it is not JSON. */
function parseJson(text: string, source: string): ManifestObject[] | undefined {
  if (!/^\s*[[{]/u.test(text)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const values: unknown[] = Array.isArray(value) ? value : [value];
  return values.flatMap((value, index) =>
    expand(
      { value, where: () => (values.length > 1 ? `${source} [${index}]` : source) },
      (item) => `${source} items[${item}]`,
    ),
  );
}

function parseYaml(text: string, source: string): ManifestObject[] {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines });
  return [...documents].flatMap((document: Document.Parsed) => {
    const [error] = document.errors;
    if (error !== undefined) {
      const { line, col } = lines.linePos(error.pos[0]);
      throw new UserError(
        `${source}:${line}:${col}: ${error.message.split(/ at line \d|:?\n/u)[0]}. Correct the YAML there.`,
      );
    }
    const lineOf = (path: readonly (string | number)[]): string => {
      const node = document.getIn(path, true) as { readonly range?: readonly [number, number, number] } | undefined;
      return `${source}:${lines.linePos(node?.range?.[0] ?? 0).line}`;
    };
    const value: unknown = document.toJS();
    return value === null || value === undefined
      ? []
      : expand({ value, where: () => lineOf([]) }, (item) => lineOf(['items', item]));
  });
}

/** The object, or the items of a list; those of a typed list such as `PodList` have their kind from it. */
function expand({ value, where }: Located, whereItem: (index: number) => string): ManifestObject[] {
  if (!isRecord(value))
    throw new UserError(
      `${where()}: expected a Kubernetes object, found ${Array.isArray(value) ? 'a list' : `a ${typeof value}`}. Remove it.`,
    );
  const { kind, apiVersion, items } = value;
  if (typeof kind !== 'string' || !kind.endsWith('List') || !Array.isArray(items))
    return [checkObject({ value, where })];
  const inherited = kind === 'List' ? {} : { apiVersion, kind: kind.slice(0, -'List'.length) };
  return items.flatMap((item: unknown, index) =>
    expand({ value: isRecord(item) ? { ...inherited, ...item } : item, where: () => whereItem(index) }, whereItem),
  );
}

function checkObject({ value, where }: Located): ManifestObject {
  const { apiVersion, kind, metadata } = value as Record<string, unknown>;
  const name = isRecord(metadata) ? metadata['name'] : undefined;
  const missing = Object.entries({ apiVersion, kind, 'metadata.name': name }).find(
    ([, field]) => typeof field !== 'string' || field === '',
  );
  if (missing !== undefined) {
    const known =
      typeof kind === 'string' && kind !== ''
        ? `the ${kind}`
        : typeof name === 'string'
          ? `the object "${name}"`
          : 'the object';
    throw new UserError(
      `${where()}: ${known} has no ${missing[0]}. Add it: every Kubernetes object has apiVersion, kind and metadata.name.`,
    );
  }
  return value as ManifestObject;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
