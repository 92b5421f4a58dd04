import { ddlStatements } from './ddl.ts';
import { postgresSink } from '../postgres-sink.ts';
import type { ResolvedPostgresSpec } from '../postgres-spec.ts';
import type { PostgresSpec } from '../postgres-spec-schema.ts';
import { quoteIdentifier, tableNames } from './table-names.ts';

/** The SQL that makes what a sink with this spec needs, for people who apply it themselves; may be applied twice. Throws SPEC_INVALID. */
export function postgresDdl(input: PostgresSpec): string {
  const spec = postgresSink.parseSpec(input);
  const schema = quoteIdentifier(spec.schema);
  const head = [
    '-- Made for the Kollect PostgreSQL sink. Run it as the owner of the schema; running it again changes nothing.',
  ];
  if (spec.schema !== 'public') head.push(`-- Where the schema does not exist yet: CREATE SCHEMA ${schema};`);
  return [...head, ...ddlStatements(spec).map((statement) => `${statement};`), ...grantComments(spec)]
    .join('\n\n')
    .concat('\n');
}

/** What the sink's user and its readers need, and nothing more. */
function grantComments(spec: ResolvedPostgresSpec): string[] {
  const { table, exports, current } = tableNames(spec);
  const schema = quoteIdentifier(spec.schema);
  const readable = spec.mode === 'upsert' ? `${table}, ${exports}, ${current}` : `${table}, ${exports}`;
  return [
    [
      '-- For the user of the sink (with provisioning: existing, which needs no CREATE):',
      `-- GRANT CONNECT ON DATABASE ${quoteIdentifier(spec.database)} TO kollect;`,
      `-- GRANT USAGE ON SCHEMA ${schema} TO kollect;`,
      `-- GRANT SELECT, INSERT, UPDATE, DELETE ON ${table}, ${exports} TO kollect;`,
      '-- For those who read:',
      `-- GRANT CONNECT ON DATABASE ${quoteIdentifier(spec.database)} TO portal;`,
      `-- GRANT USAGE ON SCHEMA ${schema} TO portal;`,
      `-- GRANT SELECT ON ${readable} TO portal;`,
    ].join('\n'),
  ];
}
