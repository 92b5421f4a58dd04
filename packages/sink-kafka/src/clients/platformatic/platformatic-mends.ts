import {
  addPartitionsToTxnV3,
  ProtocolError,
  ResponseError,
  UserError,
  type API,
  type Callback,
  type Connection,
  type metadataV12,
} from '@platformatic/kafka';
import { checkBrokerCount } from '../answer-limits.ts';

/** How long the broker waits for a transaction that nobody ends, as Java's producer says. */
const transactionTimeoutMs = 60_000;

/** The library drops the broker's code where a topic does not exist. */
export function withErrorCode(error: Error | null): Error | null {
  if (!(error instanceof UserError) || !error.message.startsWith('Unknown topic ')) return error;
  return new ProtocolError('UNKNOWN_TOPIC_OR_PARTITION', null, { cause: error });
}

/** The library asks for what a client may not ask, and hands over a producer id that no broker gave it. */
export function mended(name: string, api: API<unknown[], unknown>): API<unknown[], unknown> {
  // From version 4 on the request is one between brokers and needs permission on the cluster.
  if (name === 'Metadata') return withLeaderless(api);
  if (name === 'AddPartitionsToTxn' && api.version > 3)
    return addPartitionsToTxnV3.api as unknown as API<unknown[], unknown>;
  if (name !== 'InitProducerId') return api;
  const init = (
    connection: Connection,
    transactionalId: unknown,
    _timeout: unknown,
    _id: unknown,
    _epoch: unknown,
    callback: Callback<unknown>,
  ): void => api(connection, transactionalId, transactionTimeoutMs, -1n, -1, callback);
  return Object.assign(init as API<unknown[], unknown>, { async: api.async, key: api.key, version: api.version });
}

/** A partition without a leader is an error of the whole topic to the library, and to us one that cannot be written while the others can. */
function withLeaderless(api: API<unknown[], unknown>): API<unknown[], unknown> {
  const ask = (connection: Connection, ...rest: unknown[]): void => {
    const answer = rest.pop() as Callback<unknown>;
    api(connection, ...rest, (error: Error | null, response: unknown) => {
      const { response: told } =
        error instanceof ResponseError ? (error as { readonly response?: metadataV12.MetadataResponse }) : {};
      checkBrokerCount(((told ?? response) as metadataV12.MetadataResponse | undefined)?.brokers.length ?? 0);
      if (told?.topics.every(({ errorCode }) => errorCode === 0) === true) answer(null, told);
      else answer(error, response);
    });
  };
  return Object.assign(ask as API<unknown[], unknown>, { async: api.async, key: api.key, version: api.version });
}
