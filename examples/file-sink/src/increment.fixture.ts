// node increment.fixture.ts DIRECTORY COUNT: adds one to the number in a file so many times, against whoever does so at the same time.
import { createFileStore } from './file-store.ts';

const { signal } = new AbortController();
const key = 'number.json';

/** Adds one `count` times, each on top of what was there. */
export async function increment(directory: string, count: number): Promise<void> {
  const store = createFileStore(directory);
  for (let done = 0; done < count;) {
    const { value, version } = await read(directory);
    const bytes = Buffer.from(String(value + 1));
    const manifest = { key, byteLength: bytes.length, chunks: () => [bytes], bytes: () => bytes };
    const scope = { inventoryNamespace: 'team', inventoryName: 'number' };
    const commit = { scope, parts: [], manifest, removed: [], ifVersion: version };
    if ((await store.commit(commit, { signal })).outcome === 'committed') done += 1;
  }
}

export async function read(
  directory: string,
): Promise<{ readonly value: number; readonly version: string | undefined }> {
  const file = await createFileStore(directory).read(key, { signal });
  const chunks: Uint8Array[] = [];
  for await (const chunk of file?.chunks ?? []) chunks.push(chunk);
  return { value: Number(Buffer.concat(chunks).toString() || '0'), version: file?.version };
}

const [, script, directory, count] = process.argv;
if (script?.endsWith('increment.fixture.ts') === true && directory !== undefined)
  await increment(directory, Number(count));
