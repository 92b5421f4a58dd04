import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import type { SpecSchema } from '@kollect/core';
import { natsError } from './nats-errors.ts';
import { natsCredentialFields, natsSpecSchema } from './nats-spec-schema.ts';
import { jetStreamFailure } from './wire/failure.ts';

const page = readFileSync(new URL('../../../docs/nats.md', import.meta.url), 'utf8');
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split('|').map((cell) => cell.trim()));
const row = (name: string): readonly string[] | undefined => rows.find(([, first]) => first === `\`${name}\``);

function fieldsOf(schema: SpecSchema, prefix = ''): (readonly [string, unknown])[] {
  const { properties = {} } = schema as { readonly properties?: Readonly<Record<string, SpecSchema>> };
  return Object.entries(properties).flatMap(([name, field]) => [
    [`${prefix}${name}`, (field as { readonly default?: unknown }).default] as const,
    ...fieldsOf(field, `${prefix}${name}.`),
  ]);
}

test('docs/nats.md lists every field with its default', () => {
  for (const [field, byDefault] of fieldsOf(natsSpecSchema)) {
    expect([field, row(field)?.length]).toEqual([field, 5]);
    const text = typeof byDefault === 'string' ? byDefault : JSON.stringify(byDefault);
    if (byDefault !== undefined) expect(`${field}: ${row(field)?.[2]}`).toBe(`${field}: \`${text}\``);
  }
});

test('docs/nats.md lists every credential and every code that the sink makes', () => {
  for (const { name } of natsCredentialFields) expect(page).toContain(`\`${name}\``);
  const codes = new Set(Array.from({ length: 300 }, (_, index) => natsError(jetStreamFailure(10_000 + index)).code));
  for (const code of codes) expect([code, row(code)?.length]).toEqual([code, 4]);
});
