import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Socket } from 'node:net';
import type { KollectSink } from '@kollect/core';
import { watchGlobals } from './global-patches.ts';
import type { WatchedEgress } from './watched-egress.ts';

/** What sinks did to their process while they were called: in the asynchronous context of a call, whoever else is at work. */
export interface SinkWatch {
  /** What happens in the call, and in whatever it starts, is the sink's. */
  run<T>(call: () => T): T;
  /** The sink, watched at every call. */
  watched(sink: KollectSink): KollectSink;
  /** Sockets that sinks connected. */
  readonly sockets: readonly Socket[];
  /** Finds the text in what sinks send from now on, before it is encrypted. */
  lookFor(text: string): { readonly found: boolean };
  /** Fails where a sink printed something, or dialled past its egress. */
  expectNothing(): void;
  stop(): void;
}

const calls = new AsyncLocalStorage<object>();

export function createSinkWatch(egresses: readonly WatchedEgress[]): SinkWatch {
  const sockets: Socket[] = [];
  const output: string[] = [];
  const past: string[] = [];
  const sought: { readonly bytes: Buffer; found: boolean }[] = [];
  const self = {};
  const isOurs = (): boolean => calls.getStore() === self;

  const stop = watchGlobals({
    onConnect: (socket, given) => {
      if (!isOurs()) return;
      sockets.push(socket);
      if (egresses.some((egress) => egress.owns(socket))) return;
      const path = pathOf(given);
      if (path !== undefined) past.push(`the Unix socket ${path}`);
      socket.on('connectionAttempt', (address: string, port: number) => {
        if (!egresses.some((egress) => egress.passed(address))) past.push(`${address}, port ${port}`);
      });
    },
    onWrite: (chunk) => {
      if (!isOurs() || sought.length === 0 || (typeof chunk !== 'string' && !(chunk instanceof Uint8Array))) return;
      const bytes = Buffer.from(chunk as string);
      for (const each of sought) each.found ||= bytes.includes(each.bytes);
    },
    onOutput: (where) => {
      if (isOurs()) output.push(where);
    },
  });

  const run: SinkWatch['run'] = (call) => calls.run(self, call);
  return {
    run,
    watched: (sink) => watchedSink(sink, run),
    sockets,
    lookFor: (text) => {
      const each = { bytes: Buffer.from(text), found: false };
      sought.push(each);
      return each;
    },
    expectNothing: () => {
      // What it printed stays out of the message: it may be a secret.
      assert.deepEqual(
        [...new Set(output)],
        [],
        'The sink printed something; it tells by what it returns and throws, and its client library logs to context.logger. Where, is listed.',
      );
      assert.deepEqual(
        [...new Set(past)],
        [],
        'The sink dialled past its egress: dial through context.egress, and let createSink of the harness pass `egress` on to createSinkRegistry. Where to, is listed.',
      );
    },
    stop,
  };
}

function pathOf([target]: readonly unknown[]): string | undefined {
  const options: unknown = Array.isArray(target) ? target[0] : target;
  if (typeof options === 'string') return /^\d+$/u.test(options) ? undefined : options;
  const path = (options as { readonly path?: unknown } | undefined)?.path;
  return typeof path === 'string' ? path : undefined;
}

/** Methods that the sink does not have, the copy does not have either. */
function watchedSink(sink: KollectSink, run: SinkWatch['run']): KollectSink {
  const { open, plan, removeInventory } = sink;
  return {
    ...(open === undefined ? {} : { open: (options) => run(() => open.call(sink, options)) }),
    export: (snapshot, options) => run(() => sink.export(snapshot, options)),
    ...(plan === undefined ? {} : { plan: (snapshot, options) => run(() => plan.call(sink, snapshot, options)) }),
    ...(removeInventory === undefined
      ? {}
      : { removeInventory: (scope, options) => run(() => removeInventory.call(sink, scope, options)) }),
    testConnection: (options) => run(() => sink.testConnection(options)),
    close: () => run(() => sink.close()),
  };
}
