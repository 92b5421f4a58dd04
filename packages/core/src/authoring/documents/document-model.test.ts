import { expect, test } from '@jest/globals';
import { fuzz, fuzzTimeoutMs } from '../../contract/fuzz.fixture.ts';
import { partedDocumentLayout, singleDocumentLayout } from './document-layout.ts';
import { runDocumentModel } from './document-model.fixture.ts';
import { at, bytesStore, readStored, scope, seal, signal, sinkOver } from './documents.fixture.ts';

test.each([
  ['one document', singleDocumentLayout()],
  ['parts and a head', partedDocumentLayout()],
])(
  'a store of %s holds what the model holds after every step',
  async (_, layout) => {
    await fuzz(12, async (random) => {
      const store = bytesStore({ chunkBytes: 1 + random(300) });
      const failBetween = (on: boolean): void => void (store.onCommit = () => (on ? 'between' : undefined));
      await runDocumentModel(
        { store, layout, read: async (of) => readStored(store, layout.headKey(of)), failBetween },
        random,
        60,
      );
      // Who comes next finds all that crashes left behind.
      await sinkOver({ store, layout }).export(await seal(3_000, []), { signal });
      const left = [...store.files.keys()].filter((key) => key.startsWith('inventory/_/team/apps/parts/'));
      expect([left.length, at(3_000)]).toEqual([layout.parts === undefined ? 0 : 1, headTime(layout.headKey(scope))]);

      function headTime(key: string): unknown {
        return JSON.parse(Buffer.from(store.files.get(key)?.bytes ?? '').toString())['exportedAt'];
      }
    });
  },
  fuzzTimeoutMs,
);
