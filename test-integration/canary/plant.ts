import fc from 'fast-check';
import type { CredentialField } from '@kollect/core';
import { showFieldName, showText } from '../../packages/core/src/contract/errors/show-value.ts';
import { looksSecret } from '../../packages/core/src/contract/errors/secrets.ts';

/** Something that must not be seen, and where it stands. */
export interface Canary {
  readonly text: string;
  readonly where: string;
}

/** What a secret looks like where it gets into a field that is not made for one. `C` is the secret. */
const forms = [
  'C',
  'postgres://user:C@db.example:1/inventory',
  'postgresql://C@db.example/inventory',
  'postgresql://db.example/inventory?password=C&sslmode=require',
  'https://hooks.example/services/C',
  'https://store.example/?token=C',
  'user:C@db.example:1',
  'SASL_SSL://user:C@db.example:1',
  'user%3AC%40db.example',
  'host=db.example password=C dbname=inventory',
  "host=db.example password='a C b'",
  'db.example;Password=C',
  'org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="C";',
  '-----BEGIN PRIVATE KEY-----\nC\n-----END PRIVATE KEY-----',
  'Bearer C',
  'token: C',
  'api_key=C',
  '{"password":"C","user":"u"}',
  'ghp_CCCC',
  'glpat-CCC',
  'eyJhbGciOiJIUzI1NiJ9.C.C',
  'C\nsecond line',
  `${'long '.repeat(20)}C`,
] as const;

/** Names that a field may have beside those that are known. */
const names = [
  'password',
  'sslpassword',
  'sasl.jaas.config',
  'sasl.password',
  'dsn',
  'apiToken',
  'extra',
  'x-y',
] as const;

interface SchemaView {
  readonly description?: unknown;
  readonly type?: unknown;
  readonly properties?: Readonly<Record<string, SchemaView>>;
  readonly additionalProperties?: unknown;
  readonly items?: unknown;
}

/** Every place of a block where a value may stand: its known fields, one unknown in each object, elements of lists. */
export function placesOf(schema: SchemaView, path: readonly string[] = []): (readonly string[])[] {
  const below = Object.entries(schema.properties ?? {}).flatMap(([name, one]) => placesOf(one, [...path, name]));
  const unknown = schema.properties === undefined && schema.additionalProperties === undefined ? [] : [[...path, '?']];
  const elements = schema.items === undefined ? [] : [[...path, '0']];
  return [...(path.length === 0 ? [] : [path]), ...below, ...unknown, ...elements];
}

/** A value in some place, with a secret in it. */
export interface Plant {
  readonly place: readonly string[];
  readonly value: unknown;
  readonly text: string;
  readonly canary: string;
  /** Names of the fields that the secret stands in. */
  readonly within: readonly string[];
  /** The secret is the name of the field that the place ends with. */
  readonly isName: boolean;
}

const canaries = fc
  .array(fc.nat(15), { minLength: 15, maxLength: 15 })
  .map((digits) => `q${digits.map((digit) => digit.toString(16)).join('')}`);

/** A value in one of the places, a name in the place of one, or a list or an object where something else is expected. */
export function plants(places: readonly (readonly string[])[]): fc.Arbitrary<Plant> {
  return fc
    .record({
      place: fc.constantFrom(...places),
      form: fc.constantFrom(...forms),
      canary: canaries,
      unknown: fc.constantFrom(...names),
      as: fc.constantFrom('text', 'text', 'text', 'text', 'name', 'list', 'object'),
      inner: fc.constantFrom(...names),
    })
    .map(({ place, form, canary, unknown, as, inner }): Plant => {
      const text = form.replaceAll('C', canary);
      const above = place.slice(0, -1);
      if (as === 'name') return { place: [...above, text], value: 'x', text, canary, within: above, isName: true };
      const named = place.map((segment) => (segment === '?' ? unknown : segment));
      const value = as === 'list' ? [text] : as === 'object' ? { [inner]: text } : text;
      const within = as === 'object' ? [...named, inner] : named;
      return { place: named, value, text, canary, within, isName: false };
    });
}

/** The block with the value in its place; what is no object on the way becomes one. */
export function planted(block: unknown, place: readonly string[], value: unknown): unknown {
  const [segment, ...rest] = place;
  if (segment === undefined) return value;
  if (segment === '0') return [planted(undefined, rest, value)];
  const base = typeof block === 'object' && block !== null && !Array.isArray(block) ? block : {};
  const inner = (base as Readonly<Record<string, unknown>>)[segment];
  return { ...base, [segment]: planted(inner, rest, value) };
}

/** Undefined where a message may show it: by `showText`, in a field of a spec that is not named like a secret. */
export function hiddenInSpec({ place, within, text, canary, isName }: Plant): Canary | undefined {
  const where = `spec ${place.join('.')} = ${text}`;
  if (!isName && within.some(looksSecret)) return { text: canary, where };
  return showText(text).includes(canary) ? undefined : { text: canary, where };
}

/** The same in credentials: what is no secret there by its definition may be shown, and names that such fields have. */
export function hiddenInCredentials(plant: Plant, fields: readonly CredentialField[]): Canary | undefined {
  const { place, text, canary, isName } = plant;
  const where = `credentials ${place.join('.')} = ${text}`;
  const shown = isName
    ? showFieldName(text).includes(canary)
    : fields.some(({ name, secret }) => name === place[0] && !secret) && showText(text).includes(canary);
  // The user of a DSN is no secret, as the field for it is none.
  const isUser = place[0] === 'dsn' && text.startsWith(`postgresql://${canary}@`);
  return shown || isUser ? undefined : { text: canary, where };
}

/** Which of them are in the text, whole or cut, in capitals or not. */
export function seen(canaries: readonly Canary[], text: string): readonly Canary[] {
  const lower = text.toLowerCase();
  return canaries.filter(({ text: one }) => lower.includes(one.slice(0, 9)) || lower.includes(one.slice(-9)));
}
