import type { ListPage } from '../api/kubernetes-api.ts';
import type { ApiObject } from '../api/kubernetes-api.ts';

interface Rest {
  readonly items: readonly ApiObject[];
  readonly version: string;
  readonly page: number;
}

/** Lists in pages: what is on the later pages is as it was at the first. */
export interface FakeLists {
  first(items: readonly ApiObject[], version: string, limit: number | undefined): ListPage;
  /** Undefined for a token that is too old. */
  next(token: string, limit: number | undefined): ListPage | undefined;
  /** Which page the token leads to. */
  pageOf(token: string | undefined): number;
  forget(): void;
}

const maxTokens = 1_000;

export function createFakeLists(): FakeLists {
  const rests = new Map<string, Rest>();
  let tokens = 0;

  const cut = ({ items, version, page }: Rest, limit = items.length): ListPage => {
    const shown = { items: items.slice(0, limit), resourceVersion: version };
    if (limit >= items.length || limit === 0) return shown;
    const token = `page-${String((tokens += 1))}`;
    rests.set(token, { items: items.slice(limit), version, page: page + 1 });
    const [oldest] = rests.keys();
    if (rests.size > maxTokens && oldest !== undefined) rests.delete(oldest);
    return { ...shown, continue: token };
  };

  return {
    first: (items, version, limit) => cut({ items, version, page: 1 }, limit),
    next: (token, limit) => {
      const rest = rests.get(token);
      return rest === undefined ? undefined : cut(rest, limit);
    },
    pageOf: (token) => (token === undefined ? 1 : (rests.get(token)?.page ?? 0)),
    forget: () => rests.clear(),
  };
}
