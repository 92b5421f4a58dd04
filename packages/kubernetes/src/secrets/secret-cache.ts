import { SinkError, type DeliveryClock } from '@kollect/core';
import { ApiError } from '../api/api-error.ts';
import { limitSilence, untilAborted } from '../watch/time-limit.ts';
import { refKey } from './secret-index.ts';
import { showRef } from './secret-material.ts';
import type { ConfigMapObject, SecretReader, SecretRef } from './secret-types.ts';

/** Secrets and ConfigMaps as they were read last. */
export interface SecretCache {
  /** One read at most ten seconds ago; errors are remembered as long. Where the server cannot be asked now: what was read before. */
  get(ref: SecretRef, signal: AbortSignal): Promise<ConfigMapObject>;
  /** Reads it anew. */
  refresh(ref: SecretRef): Promise<void>;
  /** The next time it is read anew. */
  expire(ref: SecretRef): void;
  delete(ref: SecretRef): void;
}

export interface SecretCacheOptions {
  readonly reader: SecretReader;
  readonly clock: DeliveryClock;
  /** What is not kept is read each time. */
  readonly keeps: (ref: SecretRef) => boolean;
  /** Ends every read. */
  readonly signal: AbortSignal;
  /** Told where a read found another one than the read before, found one at last, or none any more. */
  readonly onChange: (ref: SecretRef) => void;
}

const freshMs = 10_000;
const readLimitMs = 15_000;

interface Entry {
  readonly object?: ConfigMapObject;
  readonly error?: SinkError;
  readonly readAt: number;
}

export function createSecretCache({ reader, clock, keeps, signal, onChange }: SecretCacheOptions): SecretCache {
  const entries = new Map<string, Entry>();
  const reading = new Map<string, Promise<Entry>>();

  const read = async (ref: SecretRef): Promise<Entry> => {
    const reason = (): Error => new ApiError('the answer did not come in time.', { status: 0, reason: 'NoAnswer' });
    const limit = limitSilence(signal, { clock, ms: readLimitMs, reason });
    const of = { namespace: ref.namespace, name: ref.name };
    try {
      const ask = ref.kind === 'Secret' ? reader.getSecret.bind(reader) : reader.getConfigMap.bind(reader);
      const found = await untilAborted(ask(of, { signal: limit.signal }), limit.signal);
      if (found === undefined) return { error: missing(ref), readAt: clock.now() };
      return { object: found, readAt: clock.now() };
    } catch (error) {
      const { object } = isTransient(error) ? (entries.get(refKey(ref)) ?? {}) : {};
      return { ...(object === undefined ? {} : { object }), error: unreadable(ref, error), readAt: clock.now() };
    } finally {
      limit.end();
    }
  };

  /** Who asks while it is read gets the same answer. */
  const readOnce = (ref: SecretRef): Promise<Entry> => {
    const key = refKey(ref);
    const running =
      reading.get(key) ??
      read(ref).then((entry) => {
        // One that was told to have changed meanwhile is read again.
        if (reading.get(key) !== running) return entry;
        reading.delete(key);
        if (!keeps(ref)) return entry;
        const before = entries.get(key);
        entries.set(key, entry);
        if (before !== undefined && versionOf(before) !== versionOf(entry)) onChange(ref);
        return entry;
      });
    reading.set(key, running);
    return running;
  };

  return {
    get: async (ref, signal) => {
      const held = entries.get(refKey(ref));
      const isFresh = held !== undefined && clock.now() - held.readAt < freshMs;
      const { object, error } = isFresh ? held : await untilAborted(readOnce(ref), signal);
      if (object !== undefined) return object;
      throw error ?? missing(ref);
    },
    refresh: async (ref) => void (await readOnce(ref)),
    expire: (ref) => {
      const held = entries.get(refKey(ref));
      reading.delete(refKey(ref));
      if (held !== undefined) entries.set(refKey(ref), { ...held, readAt: Number.NEGATIVE_INFINITY });
    },
    delete: (ref) => {
      reading.delete(refKey(ref));
      entries.delete(refKey(ref));
    },
  };
}

/** Of one that cannot be read, and never could, none. */
function versionOf({ object }: Entry): string | undefined {
  return object === undefined ? undefined : (object.metadata?.resourceVersion ?? '');
}

/** Whether it may be there all the same. */
function isTransient(error: unknown): boolean {
  return !(error instanceof ApiError) || (error.status !== 403 && error.status !== 404 && error.status !== 400);
}

function missing(ref: SecretRef): SinkError {
  return unavailable(`The ${showRef(ref)} does not exist.`, 'Create it, or correct the name in the sink.');
}

function unreadable(ref: SecretRef, error: unknown): SinkError {
  const isForbidden = error instanceof ApiError && error.status === 403;
  const why = error instanceof ApiError ? error.message.replace(/\.$/u, '') : 'its reader failed';
  return isForbidden
    ? unavailable(`The operator may not read the ${showRef(ref)}.`, 'Allow it to get it, by a Role in its namespace.')
    : unavailable(`The ${showRef(ref)} cannot be read now: ${why}.`, 'It is tried again.');
}

function unavailable(problem: string, remedy: string): SinkError {
  return new SinkError('CREDENTIALS_UNAVAILABLE', problem, { remedy });
}
