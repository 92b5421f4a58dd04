import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from '@jest/globals';
import { SinkError } from '../../contract/errors/errors.ts';
import { createEnding } from './ending.ts';
import { createHeldClient, type HeldClient } from './held-client.ts';

interface FakeClient {
  readonly number: number;
  destroyed: boolean;
}

interface Fakes {
  readonly held: HeldClient<FakeClient>;
  readonly made: FakeClient[];
}

function fakes({
  connect = () => Promise.resolve(),
  isFatal,
}: {
  readonly connect?: (client: FakeClient) => Promise<unknown>;
  readonly isFatal?: (error: unknown) => boolean;
} = {}): Fakes {
  const made: FakeClient[] = [];
  const held = createHeldClient<FakeClient>({
    sinkType: 'topic',
    server: 'the broker',
    make: () => {
      const client = { number: made.length, destroyed: false };
      made.push(client);
      return client;
    },
    connect,
    destroy: async (client) => {
      client.destroyed = true;
    },
    ...(isFatal === undefined ? {} : { isFatal }),
  });
  return { held, made };
}

const nobodyLeaves = createEnding();
const never = new Promise<never>(() => undefined);
const aborted = new SinkError('ABORTED', 'The caller aborted.');
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('one client is made and connected for all who ask at once', async () => {
  let connects = 0;
  const { held, made } = fakes({ connect: async () => void (connects += 1) });
  const numbers = await Promise.all([1, 2, 3].map(() => held.use(nobodyLeaves, async ({ number }) => number)));
  expect(numbers).toEqual([0, 0, 0]);
  expect([made.length, connects]).toEqual([1, 1]);
  await held.close();
  expect(made[0]?.destroyed).toBe(true);
});

test('after an error the next operation has a new client, and what runs on the old one may end', async () => {
  const { held, made } = fakes();
  let finish: (value: string) => void = () => undefined;
  const slow = held.use(nobodyLeaves, () => new Promise<string>((resolve) => (finish = resolve)));
  await turn();
  await expect(held.use(nobodyLeaves, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  await expect(held.use(nobodyLeaves, async ({ number }) => number)).resolves.toBe(1);
  expect(made[0]?.destroyed).toBe(false);
  finish('done');
  await expect(slow).resolves.toBe('done');
  expect(made.map(({ destroyed }) => destroyed)).toEqual([true, false]);
});

test('an error that is not fatal leaves the client in use', async () => {
  const { held } = fakes({ isFatal: (error) => (error as Error).message !== 'no such key' });
  await expect(held.use(nobodyLeaves, () => Promise.reject(new Error('no such key')))).rejects.toThrow('no such key');
  await expect(held.use(nobodyLeaves, async ({ number }) => number)).resolves.toBe(0);
  await expect(held.use(nobodyLeaves, () => Promise.reject(new Error('fatal')))).rejects.toThrow('fatal');
  await expect(held.use(nobodyLeaves, async ({ number }) => number)).resolves.toBe(1);
});

test('a client that did not connect is replaced, with credentials asked for anew', async () => {
  let password = 'old';
  const { held, made } = fakes({
    connect: async () => {
      if (password === 'old') throw new SinkError('AUTHENTICATION_FAILED', 'Refused.');
    },
  });
  await expect(held.connected(nobodyLeaves)).rejects.toMatchObject({ code: 'AUTHENTICATION_FAILED' });
  password = 'new';
  await expect(held.use(nobodyLeaves, async ({ number }) => number)).resolves.toBe(1);
  expect(made[0]?.destroyed).toBe(true);
});

test('replace gives the next operation a new client', async () => {
  const { held, made } = fakes();
  await held.connected(nobodyLeaves);
  held.replace();
  await expect(held.use(nobodyLeaves, async ({ number }) => number)).resolves.toBe(1);
  expect(made[0]?.destroyed).toBe(true);
});

test('a client that does not answer is given up when the last who waits for it leaves', async () => {
  const { held, made } = fakes({ connect: () => never });
  const [first, last] = [createEnding(), createEnding()];
  const waiting = Promise.allSettled([held.connected(first), held.connected(last)]);
  first.end(aborted);
  await turn();
  expect(made[0]?.destroyed).toBe(false);
  last.end(aborted);
  await turn();
  expect(made[0]?.destroyed).toBe(true);
  expect(await waiting).toEqual([
    { status: 'rejected', reason: aborted },
    { status: 'rejected', reason: aborted },
  ]);
});

test('close fails what runs with UNAVAILABLE, waits for all clients, and makes none any more', async () => {
  const { held, made } = fakes();
  const running = held.use(nobodyLeaves, () => never);
  const outcome = Promise.allSettled([running]);
  await turn();
  await held.close();
  expect(await outcome).toMatchObject([
    {
      reason: {
        code: 'UNAVAILABLE',
        sinkType: 'topic',
        message: expect.stringContaining('The connection to the broker was given up'),
      },
    },
  ]);
  expect(made.every(({ destroyed }) => destroyed)).toBe(true);
  await expect(held.connected(nobodyLeaves)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(made.length).toBe(1);
});

test('a client that cannot be destroyed keeps nobody', async () => {
  const held = createHeldClient({
    sinkType: 'topic',
    server: 'the broker',
    make: () => ({}),
    connect: () => Promise.resolve(),
    destroy: () => {
      throw new Error('stuck');
    },
  });
  await held.connected(nobodyLeaves);
  await expect(held.close()).resolves.toBeUndefined();
});

test('a client that lives for months keeps nothing of the calls that ended', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const { held } = fakes();
  const answers = await Promise.all(
    [1, 2, 3].map(
      async (size) => new WeakRef(await held.use(nobodyLeaves, async () => ({ answer: 'x'.repeat(size) }))),
    ),
  );
  // A reference lives to the end of the turn it was made in.
  await turn();
  collectGarbage();
  expect(answers.map((answer) => answer.deref())).toEqual([undefined, undefined, undefined]);
  await held.close();
});
