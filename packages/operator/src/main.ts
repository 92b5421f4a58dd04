#!/usr/bin/env node
import { jsonLogger } from './json-logger.ts';
import { help, readSettings, SettingsError, type OperatorSettings } from './operator-settings.ts';
import { runOperator } from './run-operator.ts';

const logger = jsonLogger((line) => process.stdout.write(line));
const stopping = new AbortController();
for (const name of ['SIGTERM', 'SIGINT'] as const) {
  // The first one ends it in order, the second at once.
  process.on(name, () => {
    if (stopping.signal.aborted) process.exit(1);
    stopping.abort();
  });
}

const settings = read();
if (settings?.help === true) process.stdout.write(help);
else if (settings !== undefined) await run(settings);

function read(): OperatorSettings | undefined {
  try {
    return readSettings(process.argv.slice(2), process.env);
  } catch (error) {
    process.stderr.write(`${error instanceof SettingsError ? error.message : 'The settings cannot be read.'}\n`);
    process.exitCode = 2;
    return undefined;
  }
}

async function run(known: OperatorSettings): Promise<void> {
  try {
    const onListening = (port: number): void => logger.info({ port }, 'Serving /metrics, /healthz and /readyz.');
    await runOperator({ settings: known, logger, signal: stopping.signal, onListening });
  } catch (error) {
    logger.error({ error: error instanceof Error ? error.message : 'unknown' }, 'The operator ended.');
    process.exitCode = 1;
  }
}
