import { parseArgs } from 'node:util';

const mechanisms = ['plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer'] as const;
const formats = ['document', 'cloudevents'] as const;

/** What the command line asks for. */
export interface ExampleOptions {
  readonly brokers: string[];
  readonly topic: string;
  readonly create: boolean;
  /** Undefined where nothing was said. */
  readonly tls: boolean | undefined;
  /** A file; undefined for the authorities that Node knows. */
  readonly ca: string | undefined;
  readonly sasl: (typeof mechanisms)[number] | undefined;
  readonly format: (typeof formats)[number];
}

export const help = `Announces Kubernetes objects on a Kafka topic.

Usage: npx -y pnpm@12.21.0 example:kafka --brokers HOST:PORT[,HOST:PORT] --topic TOPIC [options]
       kubectl get deployments,services -A -o json | npx -y pnpm@12.21.0 example:kafka --brokers … --topic …

  --brokers LIST    where to begin; the others are found through them
  --topic TOPIC     must exist, unless --create is given
  --create          make the topic where it is missing
  --tls             encrypt, with --ca FILE for an authority of your own
  --no-tls          do not encrypt, where the network is trusted: sasl plain and oauthbearer are refused otherwise
  --sasl MECHANISM  ${mechanisms.join(', ')}; KAFKA_USERNAME and KAFKA_PASSWORD, or KAFKA_TOKEN, hold the login
  --format FORMAT   ${formats.join(' or ')}; default document
  --help            this text

Without objects on standard input it announces a sample cluster. Secrets are never exported.
`;

/** Undefined where help is asked for. Throws for what it does not know. */
export function parseOptions(args: readonly string[]): ExampleOptions | undefined {
  const { values } = parseArgs({
    // pnpm and npm hand a separating "--" on.
    args: args.filter((argument) => argument !== '--'),
    options: {
      brokers: { type: 'string' },
      topic: { type: 'string' },
      create: { type: 'boolean', default: false },
      tls: { type: 'boolean' },
      'no-tls': { type: 'boolean', default: false },
      ca: { type: 'string' },
      sasl: { type: 'string' },
      format: { type: 'string', default: 'document' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return undefined;
  const { brokers, topic, create, tls, ca, sasl, format } = values;
  if (brokers === undefined || topic === undefined)
    throw new Error('Give --brokers and --topic. Run with --help to see what there is.');
  if (ca !== undefined && tls !== true) throw new Error('--ca belongs to --tls. Give both or none.');
  if (tls === true && values['no-tls']) throw new Error('--tls and --no-tls contradict each other. Give one.');
  return {
    brokers: brokers.split(','),
    topic,
    create,
    tls: values['no-tls'] ? false : tls,
    ca,
    sasl: sasl === undefined ? undefined : among('sasl', sasl, mechanisms),
    format: among('format', format, formats),
  };
}

function among<const T extends string>(option: string, text: string, known: readonly T[]): T {
  const found = known.find((name) => name === text);
  if (found !== undefined) return found;
  throw new Error(`--${option} is "${text}". Give one of ${known.join(', ')}.`);
}
