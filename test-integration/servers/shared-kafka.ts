import { startKafka, type KafkaServer } from './kafka.ts';

const VARIABLE = 'KOLLECT_TEST_KAFKA';
let shared: KafkaServer | undefined;

/** Starts the Kafka that all test files share and describes it in KOLLECT_TEST_KAFKA; one that the caller named there is left as it is. */
export async function startSharedKafka(): Promise<void> {
  if (process.env[VARIABLE]) {
    process.stdout.write(`Tests use the Kafka that ${VARIABLE} describes.\n`);
    return;
  }
  const started = Date.now();
  shared = await startKafka();
  const { kind, version, bootstrap } = shared;
  process.env[VARIABLE] = JSON.stringify(shared.connection);
  process.stdout.write(
    `Tests use Kafka ${version} (${kind}) on ${bootstrap}, started in ${Date.now() - started} ms.\n`,
  );
}

/** Ends the server that `startSharedKafka` started, if it did. */
export async function stopSharedKafka(): Promise<void> {
  if (!shared) return;
  await shared.stop();
  shared = undefined;
  delete process.env[VARIABLE];
}
