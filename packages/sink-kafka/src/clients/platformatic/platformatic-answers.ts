import type { Callback } from '@platformatic/kafka';

/** Hands a result to a callback of the library. What the library throws within fails the request; it must not end the host's process. */
export async function answerWith<T>(result: Promise<T>, answer: Callback<T>): Promise<void> {
  try {
    answer(null, await result);
  } catch (error) {
    answer(error as Error);
  }
}
