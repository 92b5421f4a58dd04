import { createRequire } from 'node:module';
import { join } from 'node:path';
import * as zlib from 'node:zlib';
import { promisify } from 'node:util';
import type { Compression } from '../kafka-client.ts';

/** Compresses the records of a batch, off the main thread, as every Kafka client reads them. */
export interface Codec {
  readonly compress: (records: Uint8Array) => Promise<Buffer>;
  readonly decompress: (bytes: Uint8Array) => Promise<Buffer>;
}

interface Snappy {
  compress(data: Uint8Array): Promise<Buffer>;
  uncompress(data: Uint8Array): Promise<Buffer | string>;
}

interface Lz4 {
  compressFrame(data: Uint8Array): Promise<Buffer>;
  decompressFrame(data: Uint8Array): Promise<Buffer>;
}

/**
 * A native package that need not be there, loaded when a spec asks for it. Looked for beside this package; where that was bundled, beside the
 * program and where it was started, since then nothing, or a path of the machine that made the bundle, tells where this file is.
 */
function loadOptional(name: string): unknown {
  let failure: unknown;
  for (const base of [import.meta.url as string | undefined, process.argv[1], join(process.cwd(), 'here.js')]) {
    if (base === undefined) continue;
    try {
      return createRequire(base)(name);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

const loaders: Readonly<Record<Exclude<Compression, 'none'>, () => Codec>> = {
  gzip: () => ({ compress: promisify(zlib.gzip), decompress: promisify(zlib.gunzip) }),
  zstd: () => ({ compress: promisify(zlib.zstdCompress), decompress: promisify(zlib.zstdDecompress) }),
  snappy: () => {
    const snappy = loadOptional('snappy') as Snappy;
    return { compress: snappy.compress, decompress: async (bytes) => Buffer.from(await snappy.uncompress(bytes)) };
  },
  lz4: () => {
    const lz4 = loadOptional('lz4-napi') as Lz4;
    return { compress: lz4.compressFrame, decompress: lz4.decompressFrame };
  },
};

const packages = { snappy: 'snappy', lz4: 'lz4-napi' } as const;

/** The codec; throws where `missingCodec` says why. */
export function loadCodec(compression: Exclude<Compression, 'none'>): Codec {
  return loaders[compression]();
}

/** Why this process cannot compress so and what to do about it; undefined where it can. */
export function missingCodec(compression: Compression): string | undefined {
  if (compression === 'none' || compression === 'gzip') return undefined;
  if (compression === 'zstd')
    return typeof zlib.zstdCompress === 'function' ? undefined : 'zstd needs Node 22.15 or newer; use gzip';
  try {
    loaders[compression]();
    return undefined;
  } catch {
    const name = packages[compression];
    return `${compression} needs the package ${name}, which is not installed or does not run here: npm install ${name}, or use zstd or gzip`;
  }
}
