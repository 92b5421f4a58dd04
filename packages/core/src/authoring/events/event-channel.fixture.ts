import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Random } from '../../contract/fuzz.fixture.ts';
import type { Scope } from '../../contract/snapshot/snapshot.ts';
import { createOperations } from '../operations/operations.ts';
import { kafkaBinding } from './event-binding.ts';
import type { EventChannel, OutgoingEvent, SendEventOptions } from './event-channel.ts';
import { readEventState, type EventHead } from './event-head.ts';
import { createEventSink, type EventSink } from './event-sink.ts';
import { document, onePartPerItem } from './events.fixture.ts';
import { formatMessageKey } from './message-key.ts';

/** How the next sending goes wrong: nothing arrives, all but the answer does, the first part alone does, or it is taken for one from before. */
export type SendFault = 'before' | 'after' | 'torn' | 'repeated';

export interface FakeChannel extends EventChannel {
  /** Every message of the inventory, in its order, as its headers say it. */
  readonly logOf: (inventory: Scope) => readonly EventHead[];
  /** Calls so far: `head`, `send`. */
  readonly calls: string[];
  fault: SendFault | undefined;
  /** Called before each comparison. */
  onSend: (event: OutgoingEvent, options: SendEventOptions) => void | Promise<void>;
}

/** A channel of messages in memory, in parts of one item, that compares the last of an inventory before it takes the next. Calls take a while. */
export function fakeChannel({ random = () => 0 }: { readonly random?: Random } = {}): FakeChannel {
  const logs = new Map<string, EventHead[]>();
  const logOf = (inventory: Scope): EventHead[] => {
    const key = formatMessageKey(inventory);
    const log = logs.get(key) ?? [];
    logs.set(key, log);
    return log;
  };
  const wait = async (): Promise<void> => {
    for (let turns = random(4); turns > 0; turns -= 1) await nextTurn();
  };
  const channel: FakeChannel = {
    calls: [],
    fault: undefined,
    onSend: () => undefined,
    logOf,
    head: async (inventory) => {
      channel.calls.push('head');
      await wait();
      const head = logOf(inventory).at(-1);
      await wait();
      return head;
    },
    send: async (event, options) => {
      channel.calls.push('send');
      const { fault } = channel;
      channel.fault = undefined;
      const log = logOf(event.inventory);
      const { messages } = event.messages({ ...document, maxMessageBytes: onePartPerItem });
      await wait();
      await channel.onSend(event, options);
      if (fault === 'before') throw new Error('lost on the way');
      let { after } = options;
      for (const { headers } of messages()) {
        if (log.at(-1)?.version !== after?.version || fault === 'repeated') return { outcome: 'conflict' };
        after = { version: String(log.length + 1), ...readEventState((name) => headers[name], kafkaBinding) };
        log.push(after);
        if (fault === 'torn') throw new Error('lost in the middle');
        await wait();
      }
      if (fault === 'after') throw new Error('the answer was lost');
      return { outcome: 'sent', version: after?.version ?? '', reference: `log/${after?.version}` };
    },
  };
  return channel;
}

/** The same, where nobody can be asked. */
export function headless({ logOf, send }: FakeChannel): EventChannel {
  return { send: (event, options) => send(event, { ...options, after: logOf(event.inventory).at(-1) }) };
}

/** A sink over the channel, as one process has it. */
export function eventSinkOver(channel: EventChannel): EventSink {
  return createEventSink({
    operations: createOperations({ sinkType: 'fake', name: 'portal' }),
    channel,
    message: document,
    where: 'the log',
  });
}
