import { setTimeout as sleep } from 'node:timers/promises';

type Falsy = undefined | null | false | 0 | '';

/** Asks until the condition gives something true, and resolves to it; `what` names the condition in the error when it never does. */
export async function waitUntil<T>(
  condition: () => T | Falsy | Promise<T | Falsy>,
  { what, timeoutMs = 10_000 }: { readonly what: string; readonly timeoutMs?: number },
): Promise<T> {
  for (const end = Date.now() + timeoutMs; ; await sleep(20)) {
    const result = await condition();
    if (result) return result;
    if (Date.now() > end) throw new Error(`Waited ${timeoutMs} ms in vain until ${what}.`);
  }
}
