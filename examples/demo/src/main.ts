import { SinkError } from '@kollect/core';
import { runDemo } from './demo.ts';
import { help, parseOptions } from './options.ts';
import { createTerminal } from './terminal.ts';
import { UserError } from '@kollect/example-sample-cluster';

const interrupted = new AbortController();
// The first Ctrl-C ends the demo in order, the second at once. Not `once`: libraries that listen too end the process when they are the last to do so.
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    if (interrupted.signal.aborted) process.exit(130);
    interrupted.abort();
  });
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) process.stdout.write(help);
  else await runDemo(options, { terminal: createTerminal(), signal: interrupted.signal });
} catch (error) {
  if (interrupted.signal.aborted) {
    process.stderr.write('Interrupted.\n');
    process.exitCode = 130;
  } else {
    process.stderr.write(`Error: ${explain(error)}\n`);
    process.exitCode = 1;
  }
}

function explain(error: unknown): string {
  if (process.env['DEBUG']) return error instanceof Error ? (error.stack ?? error.message) : String(error);
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof UserError || SinkError.isInstance(error)) return message;
  return `${message.split('\n')[0]} DEBUG=1 shows where.`;
}
