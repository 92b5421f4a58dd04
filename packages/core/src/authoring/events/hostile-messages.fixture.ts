import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { readSnapshots } from './read-snapshots.ts';

/** For the test to start as a program of its own, with little memory. */
export const programPath = fileURLToPath(import.meta.url);

const megabytes = 30;
const elements = (megabytes * 1_000_000) / 3;

function envelope(itemCount: number, items: Buffer, more = ''): Buffer {
  const checksum = createHash('sha256').update(items).digest('hex');
  const fields = `"checksum":"${checksum}","exportedAt":"2026-01-01T00:00:00.000Z","generation":1,"inventoryName":"a","inventoryNamespace":"team","itemCount":${itemCount}`;
  return Buffer.concat([
    Buffer.from(`{${fields},"items":`),
    items,
    Buffer.from(`${more},"schemaVersion":"kollect.dev/v1alpha1"}`),
  ]);
}

const item = (attributes: Buffer | string, uid = 'u'): Buffer =>
  Buffer.concat([
    Buffer.from('{"attributes":'),
    Buffer.from(attributes),
    Buffer.from(
      `,"kind":"P","name":"n","namespace":"","targetName":"t","targetNamespace":"","uid":"${uid}","version":"v"}`,
    ),
  ]);
const list = (element: string, count: number): Buffer =>
  Buffer.concat([
    Buffer.from('['),
    Buffer.alloc((element.length + 1) * (count - 1), `${element},`),
    Buffer.from(`${element}]`),
  ]);

/** Messages that compress to nothing and would be gigabytes of objects. */
const values: Readonly<Record<string, () => Buffer>> = {
  'empty items': () => envelope(elements, list('{}', elements)),
  'an item full of lists': () =>
    envelope(
      1,
      Buffer.concat([
        Buffer.from('['),
        item(Buffer.concat([Buffer.from('{"a":'), list('[]', elements), Buffer.from('}')])),
        Buffer.from(']'),
      ]),
    ),
  'the same, not canonical': () =>
    envelope(
      1,
      Buffer.concat([
        Buffer.from('[ '),
        item(Buffer.concat([Buffer.from('{"a": '), list('[]', elements), Buffer.from('}')])),
        Buffer.from(']'),
      ]),
    ),
  'nothing but depth': () => Buffer.alloc(megabytes * 1_000_000, '['),
  'a field of lists': () =>
    envelope(0, Buffer.from('[]'), `,"incompleteTargets":${list('[]', elements).toString('latin1')}`),
  'an unknown field of lists': () =>
    envelope(0, Buffer.from('[]'), `,"later":${list('[]', elements).toString('latin1')}`),
  'parts without end': () =>
    envelope(
      1,
      Buffer.concat([Buffer.from('['), item('{}'), Buffer.from(']')]),
      ',"partIndex":0,"partTotal":9007199254740991',
    ),
};

const name = process.argv[2];
if (process.argv[1] === programPath && name !== undefined) {
  const value = values[name]?.() ?? Buffer.alloc(0);
  const told: string[] = [];
  for await (const event of readSnapshots([{ key: 'team/a', value }]))
    told.push(
      event.type === 'skipped'
        ? `${event.type} ${event.reason} ${event.error?.message.slice(0, 90) ?? ''}`.trim()
        : event.type,
    );
  process.stdout.write(JSON.stringify(told));
}
