import type { DeliveryClock } from '@kollect/core';
import { callFailed, ApiError } from '../api/api-error.ts';
import type { ListPage, ResourceType, Selection } from '../api/kubernetes-api.ts';
import { limitSilence, untilAborted } from './time-limit.ts';
import type { WatchApi } from './watch-types.ts';
import type { ListedObjects } from './watch-view.ts';

export interface ListAllOptions {
  readonly api: WatchApi;
  readonly type: ResourceType;
  readonly selection: Selection;
  readonly signal: AbortSignal;
  readonly clock: DeliveryClock;
  readonly pageSize: PageSize;
}

/** How many objects a page has; halved where the pages are too large to be read. */
export interface PageSize {
  current: number;
}

/** For one page. */
const pageLimitMs = 60_000;
/** Pages in a row that bring nothing new: filters may leave pages empty, and no list is endless. */
const maxEmptyPages = 100;

/**
 * Every page of one list. Gives the version at which all of them were so; rejects where one is missing, and then nothing was learnt.
 * Never asks for what the server has at hand: that may be older than what was seen before.
 */
export async function listAll(options: ListAllOptions, objects: ListedObjects<unknown>): Promise<string> {
  const tokens = new Set<string>();
  let version: string | undefined;
  let token: string | undefined;
  let empty = 0;
  do {
    const page = await onePage(options, token);
    // All pages are of the time of the first.
    version ??= page.resourceVersion;
    token = page.continue === '' ? undefined : page.continue;
    empty = objects.add(page.items) === 0 ? empty + 1 : 0;
    if (token !== undefined && (tokens.has(token) || empty > maxEmptyPages)) throw badList(options);
    if (token !== undefined) tokens.add(token);
  } while (token !== undefined);
  if (typeof version !== 'string' || version === '') throw badList(options);
  return version;
}

async function onePage(options: ListAllOptions, token: string | undefined): Promise<ListPage> {
  const { api, type, selection, signal, clock, pageSize } = options;
  const call = { verb: 'list', type, of: selection };
  const reason = (): Error => callFailed(call, { status: 0, reason: 'NoAnswer' });
  const limit = limitSilence(signal, { clock, ms: pageLimitMs, reason });
  const page = { ...selection, limit: pageSize.current, ...(token === undefined ? {} : { continue: token }) };
  try {
    return await untilAborted(api.list(type, { ...page, signal: limit.signal }), limit.signal);
  } catch (error) {
    if (error instanceof ApiError && error.reason === 'ResponseTooLarge')
      pageSize.current = Math.max(1, Math.floor(pageSize.current / 2));
    throw error;
  } finally {
    limit.end();
  }
}

function badList({ type, selection }: ListAllOptions): ApiError {
  return callFailed({ verb: 'list', type, of: selection }, { status: 0, reason: 'BadResponse' });
}
