import { hash } from 'node:crypto';
import type { BenchCase } from './cases.ts';
import type { BareClient, Contender } from './contender.ts';
import { documentsOf } from './workload.ts';

/** The fields of a document that its headers repeat. */
interface Document {
  readonly cluster: string;
  readonly inventoryNamespace: string;
  readonly inventoryName: string;
  readonly generation: number;
  readonly exportedAt: string;
}

/** A contender that writes what a user would: the documents are objects until they are sent, with a checksum and as many headers as ours. */
export function userContender(client: BareClient, benchCase: BenchCase): Contender {
  return {
    stage(snapshots) {
      const documents = documentsOf(snapshots, benchCase).map((bytes) => JSON.parse(bytes.toString()) as Document);
      return async () => {
        if (benchCase.order === 'at-once') await Promise.all(documents.map((document) => send(client, document)));
        else for (const document of documents) await send(client, document);
      };
    },
    close: () => client.close(),
  };
}

async function send(client: BareClient, document: Document): Promise<void> {
  const value = Buffer.from(JSON.stringify(document));
  const { cluster, inventoryNamespace, inventoryName, generation, exportedAt } = document;
  const key = Buffer.from(`${cluster}:${inventoryNamespace}/${inventoryName}`);
  await client.send(key, value, {
    cluster,
    namespace: inventoryNamespace,
    inventory: inventoryName,
    'schema-version': '1',
    gvk: 'apps/v1/Deployment',
    generation: String(generation),
    checksum: hash('sha256', value),
    'exported-at': exportedAt,
    'content-type': 'application/json',
  });
}
