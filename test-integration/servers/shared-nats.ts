import { natsVariable as VARIABLE, startNats, type NatsServer } from './nats.ts';

let shared: NatsServer | undefined;

/** Starts the NATS that all test files share and describes it in KOLLECT_TEST_NATS; one that the caller named there is left as it is. */
export async function startSharedNats(): Promise<void> {
  if (process.env[VARIABLE]) {
    process.stdout.write(`Tests use the NATS that ${VARIABLE} describes.\n`);
    return;
  }
  const started = Date.now();
  shared = await startNats();
  process.env[VARIABLE] = JSON.stringify(shared.connection);
  process.stdout.write(
    `Tests use NATS ${shared.version} (${shared.kind}) on ${shared.servers.join(',')}, started in ${Date.now() - started} ms.\n`,
  );
}

/** Ends the server that `startSharedNats` started, if it did. */
export async function stopSharedNats(): Promise<void> {
  if (!shared) return;
  await shared.stop();
  shared = undefined;
  delete process.env[VARIABLE];
}
