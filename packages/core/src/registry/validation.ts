import { Ajv } from 'ajv';
import { SinkError } from '../contract/errors/errors.ts';
import { copyData, NotData } from '../contract/json/plain-data.ts';
import { durationMs } from './duration.ts';
import { explain } from './explain.ts';
import type { SpecOf, SpecSchema } from './spec-schema.ts';
import { textProblems } from './spec-texts.ts';

/** The one Ajv: strict about schemas, patient with data (every problem at once), silent. */
const ajv = new Ajv({
  strict: true,
  allErrors: true,
  allowUnionTypes: true,
  useDefaults: true,
  verbose: true,
  logger: false,
  formats: {
    duration: { type: 'string', validate: (text: string) => durationMs(text) !== undefined },
    'server-address': true,
  },
});

/** A copy of the block with every default filled in; throws SPEC_INVALID. `subject` begins the message and says whose spec it is. */
export type SpecValidator = (block: unknown, subject: string) => unknown;

/** Compiles the schema once. Throws an Error where the schema itself is wrong. */
export function compileSpecSchema(type: string, schema: SpecSchema): SpecValidator {
  return validatorOf(schema, { field: type, sinkType: type });
}

/**
 * Reads data by a schema: a copy with every default filled in. Throws SPEC_INVALID whose message begins with the subject and names each field by its path,
 * such as `$.spec.sinkRefs[0].name` where `field` is `spec`.
 */
export function createSchemaReader<const Schema extends SpecSchema>(
  schema: Schema,
  field: string,
): (data: unknown, subject: string) => SpecOf<Schema> {
  const validate = validatorOf(schema, { field });
  return (data, subject) => validate(data, subject) as SpecOf<Schema>;
}

interface Place {
  readonly field: string;
  readonly sinkType?: string;
}

function validatorOf(schema: SpecSchema, { field, sinkType }: Place): SpecValidator {
  const validate = ajv.compile(schema);
  // Ajv would remember the schema of every definition ever made.
  ajv.removeSchema(schema);
  return (block, subject) => {
    const invalid = (problem: string): SinkError =>
      new SinkError('SPEC_INVALID', `${subject} is invalid: ${problem}`, { sinkType, operation: 'create' });
    const copy = readBlock(block, field, invalid);
    if (!validate(copy)) throw invalid(explain(validate.errors ?? [], copy, `$.${field}`));
    const problems = listProblems(textProblems(copy, ['$', field]));
    if (problems !== '') throw invalid(`${problems}.`);
    return copy;
  };
}

const maxProblems = 10;

/** Looks for no more than are shown. */
function listProblems(problems: Iterable<string>): string {
  const listed: string[] = [];
  for (const problem of problems) {
    if (listed.length === maxProblems) return `${listed.join('; ')}; and more`;
    listed.push(problem);
  }
  return listed.join('; ');
}

function readBlock(block: unknown, field: string, invalid: (problem: string) => SinkError): unknown {
  try {
    return copyData(block, ['$', field]);
  } catch (error) {
    throw error instanceof NotData ? invalid(`${error.message}.`) : error;
  }
}
