import { formatScope } from '../../contract/snapshot/scope.ts';
import type { OperationOptions } from '../../contract/sink.ts';
import type { Scope } from '../../contract/snapshot/snapshot.ts';
import type { DocumentHead } from './document-head.ts';
import type { DocumentLayout } from './document-layout.ts';
import type { DocumentStore } from './document-store.ts';

const maxScopes = 10_000;
const maxListed = 100_000;

/** Finds the parts that a commit which did not end left behind. */
export interface Leftovers {
  /**
   * Keys to delete with a commit of `after`, once it succeeded: parts of the scope that are older than it and that neither head names. Nobody can
   * commit them any more, since they would be superseded. Lists the store where it was not seen clean since this sink was made.
   */
  find(scope: Scope, heads: HeadChange, options: OperationOptions): Promise<readonly string[]>;
  /** A commit succeeded, with all of its deletions. */
  cleaned(scope: Scope): void;
  /** A commit began, and nobody knows yet what it leaves. */
  disturbed(scope: Scope): void;
}

interface HeadChange {
  readonly before: DocumentHead | undefined;
  readonly after: DocumentHead;
}

export function createLeftovers({ store, layout }: { store: DocumentStore; layout: DocumentLayout }): Leftovers {
  const clean = new Set<string>();
  return {
    async find(scope, { before, after }, options) {
      const named = new Set(after.parts?.map(({ key }) => key));
      const found = new Set(before?.parts?.map(({ key }) => key).filter((key) => !named.has(key)));
      const { prefix, timeOf } = layout.parts ?? {};
      if (clean.has(formatScope(scope)) || prefix === undefined || timeOf === undefined || store.list === undefined)
        return [...found];
      let listed = 0;
      for (const key of await store.list(prefix(scope), options)) {
        if ((listed += 1) > maxListed) break;
        const time = timeOf(scope, key);
        if (time !== undefined && time < Date.parse(after.exportedAt) && !named.has(key)) found.add(key);
      }
      return [...found];
    },
    cleaned(scope) {
      // What is forgotten is listed once more.
      if (clean.size >= maxScopes) clean.clear();
      clean.add(formatScope(scope));
    },
    disturbed: (scope) => void clean.delete(formatScope(scope)),
  };
}
