import { parseArgs } from 'node:util';
import { UserError } from '@kollect/example-sample-cluster';

/** What the command line asks for. */
export interface DemoOptions {
  readonly help: boolean;
  /** A directory or file of manifests, `-` for standard input; undefined: what is piped in, otherwise the sample cluster. */
  readonly manifests: string | undefined;
  /** A server to use instead of starting one. */
  readonly dsn: string | undefined;
  readonly tls: TlsMode | undefined;
  /** Brokers to use instead of starting one. */
  readonly brokers: readonly string[] | undefined;
  /** Of those that announce, the ones that are wanted. */
  readonly sinks: readonly DemoSink[];
  readonly keep: boolean;
}

const demoSinks = ['postgres', 'kafka', 'nats'] as const;
export type DemoSink = (typeof demoSinks)[number];

const tlsModes = ['disable', 'require', 'verify-ca', 'verify-full'] as const;
export type TlsMode = (typeof tlsModes)[number];

export const help = `Exports Kubernetes objects to a PostgreSQL table and a Kafka topic, changes some, and shows what a second export did.

Usage: npx -y pnpm@12.21.0 demo [options]
       kubectl get deployments,services,ingresses -A -o json | npx -y pnpm@12.21.0 demo --manifests -

  --manifests DIR   YAML and JSON files, read recursively; a file; or - for standard input. Default: the sample cluster
  --dsn DSN         use this server instead of starting one; the tables kollect_demo and kollect_demo_exports stay in it
  --tls MODE        disable, require, verify-ca or verify-full, with --dsn. Default: verify-full, and disable for this machine
  --brokers LIST    host:port of brokers to use instead of starting one; the topic kollect_demo stays there. With --dsn
                    and without --brokers there is no Kafka. Where none can be started, the demo says why and goes on
  --sinks LIST      of postgres, kafka and nats; default postgres,kafka. PostgreSQL is always among them; nats starts a NATS
  --keep            leave the started servers running and print how to reach them
  --help            this text

Secrets are never exported. DEBUG=1 shows the stack of an error.
`;

/** Throws a UserError for what it does not know. */
export function parseOptions(args: readonly string[]): DemoOptions {
  const { manifests, dsn, tls, brokers, sinks: listed = 'postgres,kafka', keep = false, help = false } = parse(args);
  const sinks = listed.split(',').map(asDemoSink);
  if (!sinks.includes('postgres'))
    throw new UserError('--sinks must name postgres: the demo shows what became of the table.');
  if (brokers !== undefined && !sinks.includes('kafka'))
    throw new UserError('--brokers belongs to kafka, which --sinks does not name. Leave one of the two out.');
  if (tls !== undefined && !isTlsMode(tls))
    throw new UserError(`--tls is "${tls}". Give one of ${tlsModes.join(', ')}.`);
  if (tls !== undefined && dsn === undefined)
    throw new UserError('--tls belongs to --dsn: the server that the demo starts is on this machine.');
  if (keep && dsn !== undefined)
    throw new UserError(
      '--keep is for the server that the demo starts, and --dsn names one that runs already. Leave one of the two out.',
    );
  return { help, manifests, dsn, tls, brokers: brokers?.split(','), sinks, keep };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      // pnpm and npm hand a separating "--" on.
      args: args.filter((argument) => argument !== '--'),
      options: {
        manifests: { type: 'string' },
        dsn: { type: 'string' },
        tls: { type: 'string' },
        brokers: { type: 'string' },
        sinks: { type: 'string' },
        keep: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    const [problem] = (error as Error).message.split(/(?<=')\. |\. To specify/u);
    throw new UserError(`${problem}. Run with --help to see what there is.`, { cause: error });
  }
}

const isTlsMode = (text: string): text is TlsMode => (tlsModes as readonly string[]).includes(text);

function asDemoSink(text: string): DemoSink {
  const found = demoSinks.find((name) => name === text);
  if (found !== undefined) return found;
  throw new UserError(`--sinks has "${text}". Give some of ${demoSinks.join(', ')}, with commas between them.`);
}
