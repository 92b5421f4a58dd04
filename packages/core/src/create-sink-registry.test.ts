import { expect, test } from '@jest/globals';
import { createSinkRegistry, type SinkRegistryOptions } from './create-sink-registry.ts';
import { memorySink } from './memory-sink.ts';

test.each<[string, unknown, string]>([
  ['a typo', { egres: {} }, 'The options of createSinkRegistry: "egres" is not known; did you mean "egress"?'],
  ['null', null, 'The options of createSinkRegistry must be an object with'],
  ['no policy', { egress: { deny: [] } }, 'egress must be an object with the functions dial, socket, lookup, check'],
])('%s would leave the sinks without the policy that was meant, and is refused', (_, options, message) => {
  expect(() => createSinkRegistry([memorySink()], options as SinkRegistryOptions)).toThrow(
    expect.objectContaining({ code: 'SPEC_INVALID', message: expect.stringContaining(message) }),
  );
});

test('definitions that are no list are refused', () => {
  for (const definitions of [null, undefined, memorySink(), 'memory'])
    expect(() => createSinkRegistry(definitions as unknown as [])).toThrow(
      expect.objectContaining({ code: 'CONTRACT_VIOLATION' }),
    );
});
