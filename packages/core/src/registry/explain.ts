import type { ErrorObject } from 'ajv';
import { durationExamples } from './duration.ts';
import { nearestName, suggestion } from '../contract/errors/nearest-name.ts';
import { holdsSecret, looksSecret } from '../contract/errors/secrets.ts';
import { isShownWhole, showText, showValue } from '../contract/errors/show-value.ts';

const maxProblems = 10;
/** To explain one takes time, and how many there are is up to whoever wrote the spec. */
const maxExplained = 50;

/**
 * One line for a person from what Ajv says: where, what was expected, what was found, and the nearest known name for a typo.
 * `errors` come from an Ajv with `verbose`; `root` is the path of `block`, such as `$.postgres`.
 */
export function explain(errors: readonly ErrorObject[], block: unknown, root: string): string {
  // A value of the wrong type may break `enum` as well, which reads the same.
  const problems = [...new Set(errors.slice(0, maxExplained).map((error) => explainOne(error, block, root)))];
  const unexplained = Math.max(0, errors.length - maxExplained);
  if (problems.length + unexplained === 1) return `${problems.join('')}.`;
  const listed = problems.slice(0, maxProblems).map((problem, index) => `(${String(index + 1)}) ${problem}`);
  const others = problems.length - listed.length + unexplained;
  const more = others > 0 ? `; and ${String(others)} more` : '';
  return `${listed.join('; ')}${more}.`;
}

function explainOne(error: ErrorObject, block: unknown, root: string): string {
  const segments = error.instancePath.split('/').slice(1).map(unescapePointer);
  const schema = (error.parentSchema ?? {}) as SchemaView;
  const params: ParamsView = error.params;
  if (error.keyword === 'additionalProperties') {
    const name = String(params.additionalProperty);
    return `${pathOf([...segments, name], block, root)} is not a known field; ${suggestion(name, Object.keys(schema.properties ?? {}))}`;
  }
  if (error.keyword === 'required') {
    const name = String(params.missingProperty);
    return `${pathOf([...segments, name], block, root)} is missing: expected ${kindOf(schema.properties?.[name] ?? {})}`;
  }
  const found = showValue(error.data, { secret: segments.some(looksSecret) });
  const hint =
    error.keyword === 'enum' && typeof error.data === 'string'
      ? nearestName(error.data, (schema.enum ?? []).map(String))
      : undefined;
  const remedy = hint === undefined ? connectionRemedy(error.data) : `; did you mean ${showText(hint)}?`;
  return `${pathOf(segments, block, root)}: expected ${expectation(error, schema, params)}, found ${found}${remedy}`;
}

/** The most frequent reason why a name is too long, or no name: a whole DSN was pasted into its place. */
function connectionRemedy(found: unknown): string {
  if (typeof found !== 'string' || !(holdsSecret(found) || /^[a-z][a-z0-9+.-]*:\/\//iu.test(found))) return '';
  return '; it looks like a connection string, which belongs into the credentials';
}

interface SchemaView {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly format?: string;
  readonly description?: string;
  readonly properties?: { readonly [name: string]: SchemaView };
}

interface ParamsView {
  readonly additionalProperty?: unknown;
  readonly missingProperty?: unknown;
  readonly limit?: unknown;
  readonly pattern?: unknown;
}

function expectation(error: ErrorObject, schema: SchemaView, params: ParamsView): string {
  const limit = String(params.limit);
  switch (error.keyword) {
    case 'type':
    case 'enum':
    case 'format':
      return kindOf(schema);
    case 'pattern':
      return schema.description === undefined
        ? `text that matches ${String(params.pattern)}`
        : `text that fits its description (${JSON.stringify(schema.description)})`;
    case 'minimum':
      return `a number of at least ${limit}`;
    case 'maximum':
      return `a number of at most ${limit}`;
    case 'minLength':
      return limit === '1' ? 'text that is not empty' : `at least ${limit} characters`;
    case 'maxLength':
      return `at most ${limit} characters`;
    case 'minItems':
      return `at least ${limit} ${limit === '1' ? 'element' : 'elements'}`;
    case 'maxItems':
      return `at most ${limit} ${limit === '1' ? 'element' : 'elements'}`;
    case 'maxProperties':
      return `at most ${limit} ${limit === '1' ? 'field' : 'fields'}`;
    default:
      return error.message ?? error.keyword;
  }
}

function kindOf({ type, enum: members, format }: SchemaView): string {
  if (members !== undefined) return `one of ${members.map((member) => JSON.stringify(member)).join(', ')}`;
  if (format === 'duration') return durationExamples;
  const types = type === undefined ? ['value'] : typeof type === 'string' ? [type] : type;
  return types.map((name) => (/^[aeiou]/u.test(name) ? `an ${name}` : `a ${name}`)).join(' or ');
}

function pathOf(segments: readonly string[], block: unknown, root: string): string {
  let path = root;
  let value = block;
  for (const segment of segments) {
    if (Array.isArray(value)) path += `[${segment}]`;
    else
      path +=
        /^[A-Za-z_][\w-]{0,63}$/u.test(segment) && isShownWhole(segment) ? `.${segment}` : `[${showText(segment)}]`;
    value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[segment] : undefined;
  }
  return path;
}

function unescapePointer(segment: string): string {
  return segment.replaceAll('~1', '/').replaceAll('~0', '~');
}
