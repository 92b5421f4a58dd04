import assert from 'node:assert/strict';
import { inspect } from 'node:util';

/** Keeps what a sink said during a check, to search it for a secret. */
export interface Observations {
  add(value: unknown): void;
  /** Fails where anything that was added holds the secret, anywhere a log line could take it from. */
  expectNo(secret: string): void;
}

export function createObservations(): Observations {
  const seen: unknown[] = [];
  return {
    add: (value) => void seen.push(value),
    expectNo: (secret) => {
      for (const value of seen) {
        const places = placesOf(value).filter(([, text]) => text.includes(secret));
        // The text itself stays out of the message: it would carry the secret into the log of the test run.
        assert.deepEqual(
          places.map(([place]) => place),
          [],
          'What the sink returned or threw holds a secret or the content of an item, in the places listed.',
        );
      }
    },
  };
}

function placesOf(value: unknown): [place: string, text: string][] {
  const inspected: [string, string] = [
    'util.inspect',
    inspect(value, { depth: 12, maxStringLength: null, maxArrayLength: null }),
  ];
  const json: [string, string] = ['JSON', JSON.stringify(value) ?? ''];
  if (!(value instanceof Error)) return [json, inspected];
  return [['message', value.message], ['stack', value.stack ?? ''], json, inspected];
}
