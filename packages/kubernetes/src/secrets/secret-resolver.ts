import { createHmac, randomBytes } from 'node:crypto';
import { parseDuration, type Credentials, type TlsMaterial } from '@kollect/core';
import {
  aFunction,
  anObject,
  checkOptions,
  objectWith,
  required,
  someText,
  type OptionKinds,
} from '@kollect/core/authoring';
import { containCallback } from '../watch/contained-callbacks.ts';
import { systemClock } from '../watch/time-limit.ts';
import { createSecretCache } from './secret-cache.ts';
import { createSecretIndex, sinkKey } from './secret-index.ts';
import { caOf, checkCertificates, credentialsOf, refsOf } from './secret-material.ts';
import { startRefreshing } from './secret-refresh.ts';
import type { SecretReader, SecretResolver, SecretResolverOptions, SecretSink } from './secret-types.ts';

const kinds: OptionKinds<SecretResolverOptions> = {
  registry: required(objectWith('definition')),
  onChange: aFunction,
  refresh: someText,
  logger: anObject,
  clock: anObject,
};

/** Resolves what sinks name. Begins to look at it again once a sink names something; throws SPEC_INVALID for options that are wrong. */
export function createSecretResolver(reader: SecretReader, given: SecretResolverOptions): SecretResolver {
  const aReader = required(objectWith('getSecret', 'getConfigMap'));
  checkOptions({ reader }, { reader: aReader }, { of: 'The reader of createSecretResolver' });
  const options = checkOptions<SecretResolverOptions>(given, kinds, { of: 'The options of createSecretResolver' });
  const { registry, clock = systemClock } = options;
  const stopping = new AbortController();
  const tell = containCallback(options.onChange, options.logger);
  const cache = createSecretCache({
    reader,
    clock,
    keeps: (ref) => index.has(ref),
    signal: stopping.signal,
    onChange: (ref) => {
      if (!stopping.signal.aborted) tell(index.sinksOf(ref));
    },
  });
  const index = createSecretIndex((ref) => cache.delete(ref));
  const fingerprint = createFingerprint();
  const refreshing = startRefreshing({
    clock,
    everyMs: parseDuration(options.refresh ?? '1m', 'refresh'),
    signal: stopping.signal,
    index,
    cache,
  });

  const read = async (sink: SecretSink, signal: AbortSignal): Promise<Material> => {
    const definition = registry.definition(sink.spec.type);
    const { credentials: secret, ca } = refsOf(sink);
    const [ofSecret, ofCa] = await Promise.all([
      secret === undefined ? undefined : cache.get(secret, signal),
      ca === undefined ? undefined : cache.get(ca, signal),
    ]);
    const none = { credentials: {}, tls: {} };
    const { credentials, tls } =
      secret === undefined || ofSecret === undefined ? none : credentialsOf(sink, definition, secret, ofSecret);
    const own = ca === undefined || ofCa === undefined ? bundleOf(sink) : { ca: caOf(definition, ca, ofCa) };
    return { credentials, tls: { ...tls, ...own } };
  };

  return {
    resolve: async (sink, { signal }) => {
      const { credentials, ca } = refsOf(sink);
      const refs = [credentials, ca].filter((ref) => ref !== undefined);
      if (!stopping.signal.aborted) index.set(sinkKey(sink), refs);
      refreshing.wake();
      const material = await read(sink, signal);
      const again = (): Promise<Material> => read(sink, stopping.signal);
      return {
        connection: {
          credentials: async () => (await again()).credentials,
          tls: async () => (await again()).tls,
        },
        revision: fingerprint(material),
      };
    },
    changed: (ref) => {
      cache.expire(ref);
      return index.sinksOf(ref);
    },
    forget: (sink) => index.delete(sinkKey(sink)),
    close: async () => {
      stopping.abort();
      await refreshing.ended;
      for (const ref of index.refs()) for (const sink of index.sinksOf(ref)) index.delete(sink);
    },
  };
}

interface Material {
  readonly credentials: Credentials;
  readonly tls: TlsMaterial;
}

function bundleOf({ spec }: SecretSink): TlsMaterial {
  return spec.ca?.bundle === undefined ? {} : { ca: checkCertificates(spec.ca.bundle, '$.spec.ca.bundle') };
}

/** Equal for equal material, and of no use to whoever reads it: its key is made anew by each process. */
function createFingerprint(): (material: Material) => string {
  const key = randomBytes(32);
  const sorted = (fields: object): unknown => Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1));
  return ({ credentials, tls }) =>
    createHmac('sha256', key)
      .update(JSON.stringify([sorted(credentials), sorted(tls)]))
      .digest('hex')
      .slice(0, 32);
}
