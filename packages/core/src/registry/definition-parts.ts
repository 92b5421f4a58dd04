import { SinkError } from '../contract/errors/errors.ts';
import type { CredentialField, SinkCapabilities, SpanAttributes } from '../contract/sink.ts';
import { suggestion } from '../contract/errors/nearest-name.ts';
import { showText, showValue } from '../contract/errors/show-value.ts';

const noCapabilities: Required<SinkCapabilities> = Object.freeze({
  fenced: false,
  deletes: false,
  plan: false,
  removeInventory: false,
});
const capabilityNames = Object.keys(noCapabilities) as readonly (keyof SinkCapabilities)[];

/** Every capability, those left out as false. Throws CONTRACT_VIOLATION for one that is no boolean or has no such name. */
export function completeCapabilities(type: string, given: SinkCapabilities = {}): Required<SinkCapabilities> {
  for (const [name, value] of Object.entries(given) as [string, unknown][]) {
    if (!Object.hasOwn(noCapabilities, name))
      throw violation(
        type,
        `claims the capability ${showText(name)}, which there is none of; ${suggestion(name, capabilityNames)}`,
      );
    if (value !== undefined && typeof value !== 'boolean')
      throw violation(
        type,
        `must say true or false for the capability ${showText(name)}, found ${showValue(value, { secret: false })}`,
      );
  }
  return capabilitiesOf(given);
}

/** Every capability that this core knows. What another copy of core knows beside them means nothing here. */
export function capabilitiesOf(given: SinkCapabilities = {}): Required<SinkCapabilities> {
  return Object.freeze(
    Object.fromEntries(capabilityNames.map((name) => [name, given[name] === true])),
  ) as Required<SinkCapabilities>;
}

const fieldNamePattern = /^[A-Za-z][A-Za-z0-9._-]{0,63}$/u;

/** Throws CONTRACT_VIOLATION naming the field that is wrong. */
export function checkCredentialFields(type: string, fields: readonly CredentialField[]): void {
  if (!Array.isArray(fields)) throw violation(type, 'must list its credentialFields');
  const names = new Set<string>();
  for (const [index, field] of fields.entries()) {
    const { name, description, secret, form } = Object(field) as Partial<Record<keyof CredentialField, unknown>>;
    const path = `credentialFields[${String(index)}]`;
    if (typeof name !== 'string' || !fieldNamePattern.test(name))
      throw violation(type, `must give ${path} a name that matches ${fieldNamePattern.source}`);
    if (names.has(name)) throw violation(type, `lists the credential field ${showText(name)} twice`);
    names.add(name);
    if (typeof description !== 'string' || description === '')
      throw violation(type, `must describe its credential field ${showText(name)}`);
    if (typeof secret !== 'boolean')
      throw violation(type, `must say true or false for "secret" of its credential field ${showText(name)}`);
    if (form !== undefined && (typeof form !== 'string' || !fieldNamePattern.test(form)))
      throw violation(
        type,
        `must name the form of its credential field ${showText(name)} by a text that matches ${fieldNamePattern.source}`,
      );
  }
}

const maxAttributeLength = 200;

/** Throws CONTRACT_VIOLATION naming the attribute that is wrong. */
export function checkSpanAttributes(type: string, attributes: SpanAttributes): void {
  if (typeof attributes !== 'object' || attributes === null || Array.isArray(attributes))
    throw violation(type, `must give spanAttributes as an object, found ${showValue(attributes, { secret: false })}`);
  for (const [name, value] of Object.entries(attributes) as [string, unknown][]) {
    const shown = `the span attribute ${showText(name)}`;
    if (name.startsWith('kollect.')) throw violation(type, `sets ${shown}; names that begin with kollect. are core's`);
    if (!['string', 'number', 'boolean'].includes(typeof value) || String(value).length > maxAttributeLength)
      throw violation(
        type,
        `must give ${shown} a boolean, a number or a text of at most ${String(maxAttributeLength)} characters`,
      );
  }
}

/** CONTRACT_VIOLATION of a definition; `problem` goes on where the type was named. */
export function violation(type: string, problem: string): SinkError {
  return new SinkError('CONTRACT_VIOLATION', `The sink type ${showType(type)} ${problem}.`, { operation: 'create' });
}

/** What is given as a type may be anything. */
function showType(type: unknown): string {
  return typeof type === 'string' ? showText(type) : `named by ${showValue(type, { secret: false })}`;
}
