import type { NatsAnswer, NatsClient } from '../nats-client.ts';
import { jetStreamFailure, natsFailure } from '../wire/failure.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Asks the API of JetStream; rejects with the number of its error. */
export async function askJetStream(client: NatsClient, what: string, question?: Fields): Promise<Fields> {
  const body = question === undefined ? {} : { body: Buffer.from(JSON.stringify(question)) };
  return answerOf(await client.request({ subject: `$JS.API.${what}`, ...body }));
}

/** The fields of a JSON answer, of the API or to a message. */
export function answerOf({ body }: NatsAnswer): Fields {
  const fields = parse(body);
  const { error } = fields;
  if (error === undefined || error === null) return fields;
  const { err_code: number, code } = Object(error) as Fields;
  throw jetStreamFailure(typeof number === 'number' ? number : typeof code === 'number' ? code : 0);
}

function parse(body: Uint8Array): Fields {
  try {
    return Object(JSON.parse(Buffer.from(body).toString())) as Fields;
  } catch {
    throw natsFailure('no-nats');
  }
}

export function fieldsOf(value: unknown): Fields {
  return Object(value) as Fields;
}

export function countOf(value: unknown): number | undefined {
  return Number.isSafeInteger(value) ? (value as number) : undefined;
}
