import { parseArgs } from 'node:util';

const retentions = ['history', 'latest'] as const;
const formats = ['document', 'cloudevents'] as const;

/** What the command line asks for. */
export interface ExampleOptions {
  readonly servers: string[];
  readonly stream: string;
  readonly create: boolean;
  readonly tls: boolean;
  /** A file; undefined for the authorities that Node knows. */
  readonly ca: string | undefined;
  readonly retain: (typeof retentions)[number];
  readonly format: (typeof formats)[number];
}

export const help = `Announces Kubernetes objects on a NATS JetStream stream.

Usage: npx -y pnpm@12.21.0 example:nats --servers HOST:PORT[,HOST:PORT] --stream STREAM [options]
       kubectl get deployments,services -A -o json | npx -y pnpm@12.21.0 example:nats --servers … --stream …

  --servers LIST    one that answers is enough
  --stream STREAM   must exist and take kollect.inventory.>, unless --create is given
  --create          make the stream where it is missing
  --tls             encrypt, with --ca FILE for an authority of your own
  --retain WHAT     ${retentions.join(' or ')}; default history
  --format FORMAT   ${formats.join(' or ')}; default document
  --help            this text

NATS_CREDS (the content of a creds file), NATS_NKEY, NATS_TOKEN, or NATS_USERNAME and NATS_PASSWORD hold the login.
Without objects on standard input it announces a sample cluster. Secrets are never exported.
`;

/** Undefined where help is asked for. Throws for what it does not know. */
export function parseOptions(args: readonly string[]): ExampleOptions | undefined {
  const { values } = parseArgs({
    // pnpm and npm hand a separating "--" on.
    args: args.filter((argument) => argument !== '--'),
    options: {
      servers: { type: 'string' },
      stream: { type: 'string' },
      create: { type: 'boolean', default: false },
      tls: { type: 'boolean', default: false },
      ca: { type: 'string' },
      retain: { type: 'string', default: 'history' },
      format: { type: 'string', default: 'document' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return undefined;
  const { servers, stream, create, tls, ca, retain, format } = values;
  if (servers === undefined || stream === undefined)
    throw new Error('Give --servers and --stream. Run with --help to see what there is.');
  if (ca !== undefined && !tls) throw new Error('--ca belongs to --tls. Give both or none.');
  return {
    servers: servers.split(','),
    stream,
    create,
    tls,
    ca,
    retain: among('retain', retain, retentions),
    format: among('format', format, formats),
  };
}

function among<const T extends string>(option: string, text: string, known: readonly T[]): T {
  const found = known.find((name) => name === text);
  if (found !== undefined) return found;
  throw new Error(`--${option} is "${text}". Give one of ${known.join(', ')}.`);
}
