import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { ServerAddress } from '@kollect/core/authoring';

/** An object store in miniature: files with ETags, changed by compare and swap, for whoever has the token. */
export interface HttpStore {
  readonly files: Map<string, { readonly bytes: Buffer; readonly etag: string }>;
  /** Files under `/tmp/`. */
  readonly drafts: Set<string>;
  token: string;
  /** What every PUT is answered with. */
  failure: number | undefined;
  address(): Promise<ServerAddress>;
  /** Ends all connections; the store goes on. */
  endSessions(): void;
}

export function createHttpStore(token: string): HttpStore {
  const files: HttpStore['files'] = new Map();
  const drafts = new Set<string>();
  let etags = 0;

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await buffer(request);
    const { method, url: path = '/', headers } = request;
    const end = (status: number, fields: Record<string, string> = {}, bytes?: Buffer): void => {
      response.writeHead(status, fields);
      response.end(bytes);
    };
    if (headers.authorization !== `Bearer ${store.token}`) return end(401);
    const found = files.get(path);
    if (method === 'GET') return found === undefined ? end(404) : end(200, { etag: found.etag }, found.bytes);
    if (path.startsWith('/tmp/')) {
      if (method === 'DELETE') drafts.delete(path);
      else if (store.failure !== undefined) return end(store.failure);
      else drafts.add(path);
      return end(204);
    }
    if (store.failure !== undefined) return end(store.failure);
    const matches = headers['if-none-match'] === '*' ? found === undefined : headers['if-match'] === found?.etag;
    if (!matches) return end(412);
    const etag = `"${(etags += 1)}"`;
    files.set(path, { bytes: body, etag });
    return end(200, { etag });
  };
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  let address: Promise<ServerAddress> | undefined;
  const listen = async (): Promise<ServerAddress> => {
    server.listen(0, '127.0.0.1');
    server.unref();
    await once(server, 'listening');
    return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  };
  const store: HttpStore = {
    files,
    drafts,
    token,
    failure: undefined,
    address: () => (address ??= listen()),
    endSessions: () => server.closeAllConnections(),
  };
  return store;
}
