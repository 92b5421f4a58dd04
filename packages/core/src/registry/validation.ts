import { Ajv } from 'ajv';
import { SinkError } from '../contract/errors.ts';
import { durationMs } from './duration.ts';
import { explain } from './explain.ts';
import type { SpecSchema } from './spec-schema.ts';

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
    const copy = cloneBlock(block, () =>
      invalid(`$.${type} holds something that is not data, such as a function or a symbol.`),
    );
    if (validate(copy)) return withoutUndefined(copy);
    throw invalid(explain(validate.errors ?? [], copy, `$.${type}`));
  };
}

function cloneBlock(block: unknown, error: () => SinkError): unknown {
  try {
    return structuredClone(block);
  } catch {
    throw error();
  }
}

/** A property written as undefined counts as left out. Called on validated data, whose depth the schema bounds. */
function withoutUndefined(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  for (const [key, member] of Object.entries(value)) {
    if (member === undefined) Reflect.deleteProperty(value, key);
    else withoutUndefined(member);
  }
  return value;
}
