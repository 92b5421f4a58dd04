import assert from 'node:assert/strict';
import { contractVersion, SinkError } from '@kollect/core';
import type { Check } from '../../check.ts';

const roles: readonly string[] = ['snapshot-store', 'relational-store', 'event-emitter'];

/** What the sink type says of itself. */
export const definitionChecks: readonly Check[] = [
  {
    name: 'the definition names its type, contract version, role and capabilities',
    run: async ({ definition }) => {
      assert.match(definition.type, /^[a-z][a-z0-9-]*$/u);
      assert.ok(
        definition.contractVersion >= 1 && definition.contractVersion <= contractVersion,
        `The contract version is ${String(definition.contractVersion)}; this core speaks up to ${String(contractVersion)}.`,
      );
      assert.ok(
        roles.includes(definition.role),
        `The role is "${definition.role}"; expected one of ${roles.join(', ')}.`,
      );
      for (const capability of ['fenced', 'deletes', 'plan', 'removeInventory'] as const) {
        assert.equal(
          typeof definition.capabilities[capability],
          'boolean',
          `capabilities.${capability} is neither true nor false.`,
        );
      }
    },
  },
  {
    name: 'a sink has the methods that its capabilities claim, and no others',
    run: async ({ definition, createSink }) => {
      const sink = await createSink();
      for (const method of ['plan', 'removeInventory'] as const) {
        const claimed = definition.capabilities[method];
        assert.equal(
          typeof sink[method] === 'function',
          claimed,
          `capabilities.${method} is ${claimed}, which the sink does not bear out.`,
        );
      }
    },
  },
  {
    name: 'the spec refuses a field that it does not know, naming it',
    run: async ({ definition }) => {
      const parse = (): unknown => definition.parseSpec({ conformanceUnknownField: true }, 'conformance');
      assert.throws(parse, (error) => {
        assert.ok(SinkError.isInstance(error), 'A spec is refused with a SinkError.');
        assert.equal(error.code, 'SPEC_INVALID');
        assert.match(error.message, /conformanceUnknownField/, 'The message names the unknown field.');
        return true;
      });
    },
  },
  {
    name: 'the spec schema describes every field and closes every object that lists its fields',
    run: async ({ definition }) => assertClosed('spec', definition.specSchema),
  },
];

interface SchemaNode {
  readonly properties?: { readonly [name: string]: SchemaNode };
  readonly additionalProperties?: unknown;
  readonly items?: SchemaNode;
  readonly description?: string;
}

function assertClosed(path: string, node: SchemaNode): void {
  if (node.items !== undefined) assertClosed(`${path}[]`, node.items);
  if (node.properties === undefined) return;
  assert.equal(
    node.additionalProperties,
    false,
    `${path} takes fields that nobody listed: set additionalProperties to false.`,
  );
  for (const [name, property] of Object.entries(node.properties)) {
    assert.ok((property.description ?? '') !== '', `${path}.${name} has no description.`);
    assertClosed(`${path}.${name}`, property);
  }
}
