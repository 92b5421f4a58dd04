import { Ajv } from 'ajv';
import { SinkError } from '../contract/errors/errors.ts';
import { copyData, NotData } from '../contract/json/plain-data.ts';
import { durationMs } from './duration.ts';
import { explain } from './explain.ts';
import type { SpecSchema } from './spec-schema.ts';
import { textProblems } from './spec-texts.ts';

/** The one Ajv: strict about schemas, patient with data (every problem at once), silent. */
const ajv = new Ajv({
  strict: true,
  allErrors: true,
  allowUnionTypes: true,
  useDefaults: true,
  verbose: true,
  logger: false,
  formats: { duration: { type: 'string', validate: (text: string) => durationMs(text) !== undefined } },
});

/** A copy of the block with every default filled in; throws SPEC_INVALID. `subject` begins the message and says whose spec it is. */
export type SpecValidator = (block: unknown, subject: string) => unknown;

/** Compiles the schema once. Throws an Error where the schema itself is wrong. */
export function compileSpecSchema(type: string, schema: SpecSchema): SpecValidator {
  const validate = ajv.compile(schema);
  // Ajv would remember the schema of every definition ever made.
  ajv.removeSchema(schema);
  return (block, subject) => {
    const invalid = (problem: string): SinkError =>
      new SinkError('SPEC_INVALID', `${subject} is invalid: ${problem}`, { sinkType: type, operation: 'create' });
    const copy = readBlock(block, type, invalid);
    if (!validate(copy)) throw invalid(explain(validate.errors ?? [], copy, `$.${type}`));
    const problems = textProblems(copy, ['$', type]);
    if (problems.length > 0) throw invalid(`${problems.join('; ')}.`);
    return copy;
  };
}

function readBlock(block: unknown, type: string, invalid: (problem: string) => SinkError): unknown {
  try {
    return copyData(block, ['$', type]);
  } catch (error) {
    throw error instanceof NotData ? invalid(`${error.message}.`) : error;
  }
}
