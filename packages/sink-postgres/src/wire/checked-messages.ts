import type { Duplex } from 'node:stream';
import type { Client } from 'pg';
import { SinkError } from '@kollect/core';
import { broken, ProtocolFault } from './protocol-fault.ts';
import { createServerMessages, type ServerMessages } from './server-messages.ts';

/** The place where `pg` begins to read from a stream, TLS or not; it does not type it. */
interface DriverConnection {
  attachListeners(stream: Duplex): void;
}

/**
 * Puts a check between what a server sends and `pg`, which throws, spins or fills the memory on what is malformed, from within the socket, where
 * nobody can catch it. What fails the check ends the connection with a ProtocolFault, and so does whatever `pg` throws all the same.
 */
export function checkMessages(client: Client): Pick<ServerMessages, 'expectLongAnswer'> {
  const messages = createServerMessages();
  const { connection } = client as unknown as { readonly connection: DriverConnection };
  const { attachListeners } = connection;
  if (typeof attachListeners !== 'function') throw unknownDriver();
  connection.attachListeners = (stream) => {
    attachListeners.call(connection, stream);
    const readers = stream.listeners('data');
    stream.removeAllListeners('data');
    if (readers.length === 0) stream.destroy(unknownDriver());
    stream.on('data', (chunk: Buffer) => {
      try {
        const whole = messages.receive(chunk);
        if (whole !== undefined) for (const read of readers) Reflect.apply(read, stream, [whole]);
      } catch (error) {
        stream.destroy(
          error instanceof ProtocolFault ? error : new ProtocolFault(broken('an answer to another question')),
        );
      }
    });
    const write = stream.write.bind(stream) as (...given: readonly unknown[]) => boolean;
    stream.write = (...given: readonly unknown[]) => {
      messages.sent((given[0] as Buffer).length);
      return write(...given);
    };
  };
  return messages;
}

function unknownDriver(): SinkError {
  return new SinkError(
    'CONTRACT_VIOLATION',
    'This version of pg reads from the server where the sink cannot check it.',
    {
      sinkType: 'postgres',
      remedy: 'Install the version of pg that @kollect/sink-postgres depends on.',
    },
  );
}
