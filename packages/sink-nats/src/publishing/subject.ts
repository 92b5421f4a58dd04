import { formatMessageKey, SinkError, type Scope } from '@kollect/core';
import type { ResolvedNatsSpec } from '../nats-spec.ts';

/** Below what a server takes as one line of its protocol, 4096 bytes. */
const maxSubjectBytes = 2_000;
/** The token of a scope without a cluster. */
const noCluster = '_';

/** The subject of all messages of a scope: `prefix.cluster.namespace.name`. SNAPSHOT_INVALID for a scope that no snapshot can have. */
export function formatSubject(scope: Scope, prefix: string): string {
  // Throws for what the reader would refuse.
  formatMessageKey(scope);
  const { cluster = '', inventoryNamespace, inventoryName } = scope;
  const first = cluster === '' ? noCluster : token(cluster);
  const subject = `${prefix}.${first}.${token(inventoryNamespace)}.${token(inventoryName)}`;
  if (subject.length <= maxSubjectBytes) return subject;
  throw new SinkError(
    'SNAPSHOT_INVALID',
    `The subject of the inventory would have ${subject.length} characters; expected at most ${maxSubjectBytes}: use shorter names.`,
    { sinkType: 'nats' },
  );
}

/** The scope of a subject that `formatSubject` made, whatever its prefix; undefined for any other. */
export function parseSubject(subject: string): Scope | undefined {
  const tokens = subject.split('.');
  const [first, inventoryNamespace, inventoryName] = tokens.slice(-3).map(text);
  if (tokens.length < 4 || first === undefined || !inventoryNamespace || !inventoryName) return undefined;
  const scope = {
    ...(tokens.at(-3) === noCluster ? {} : { cluster: first }),
    inventoryNamespace,
    inventoryName,
  };
  try {
    return formatSubject(scope, tokens.slice(0, -3).join('.')) === subject ? scope : undefined;
  } catch {
    return undefined;
  }
}

/** The subjects of all inventories. */
export function subjectsOf({ subjectPrefix }: Pick<ResolvedNatsSpec, 'subjectPrefix'>): string {
  return `${subjectPrefix}.*.*.*`;
}

/** Letters, digits, "-" and "_" stand for themselves; all else is escaped, "." and wildcards among it. */
function token(value: string): string {
  if (value === noCluster) return '%5F';
  return value.replaceAll(/[^\w-]+/gu, (part) =>
    Array.from(Buffer.from(part), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}

function text(value: string): string | undefined {
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}
