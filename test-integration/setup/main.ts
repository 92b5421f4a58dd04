// Makes sure of the programs that the tests need beside Node and npm, before they run: installs them where this user may, unpacks
// them into the cache where that does, and says in one line what is to be installed by hand otherwise. Tests of what is missing fail.
//   main.ts               everything that the tests need
//   main.ts kafka         what it takes to start Kafka
//   main.ts kubernetes    what it takes to start an API server
import { engineAnswers, findEngine } from '../servers/container-engine.ts';
import { findKafkaRuntime } from '../servers/kafka-jars.ts';
import { fetchKubernetesBinaries, findKubernetesBinaries } from '../servers/kubernetes-binaries.ts';
import { fetchNatsBinary, findNatsBinary, howToGetNats } from '../servers/nats-binary.ts';
import { hasNatsImage } from '../servers/nats-container.ts';
import { findPackageManager, installPackages } from './system-packages.ts';
import { howToInstall, tools, type Tool } from './tools.ts';
import { unpackPackages } from './unpacked-packages.ts';

const only = process.argv[2];
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).slice(0, 500);

async function missingTools(): Promise<readonly Tool[]> {
  // A broker of the cache needs Java alone; one in a container neither.
  const runtime = await findKafkaRuntime({ fetch: false });
  const inContainers = process.env['KOLLECT_TEST_SERVERS'] !== 'local' && (await engineAnswers());
  const unneeded = inContainers ? ['Java 17', 'Maven'] : runtime === undefined ? [] : ['Maven'];
  const wanted = tools.filter(({ startsKafka }) => only === undefined || (only === 'kafka' && startsKafka));
  const found = await Promise.all(wanted.map(async (tool) => unneeded.includes(tool.name) || (await tool.isThere())));
  return wanted.filter((_, index) => found[index] === false);
}

async function provide(missing: readonly Tool[]): Promise<void> {
  const manager = findPackageManager();
  if (manager !== undefined) {
    say(`Installing ${missing.map(({ name }) => name).join(', ')} with ${manager.name}: the tests need that.`);
    await installPackages(manager, missing);
  } else if (process.platform === 'linux' && missing.some(({ runsUnpacked }) => runsUnpacked)) {
    const unpackable = missing.filter(({ runsUnpacked }) => runsUnpacked);
    say(`Fetching ${unpackable.map(({ name }) => name).join(', ')} for the tests; nothing is installed.`);
    await unpackPackages(unpackable);
  }
}

const missing = await missingTools();
if (missing.length > 0) {
  await provide(missing).catch((error: unknown) => say(`That failed: ${reasonOf(error)}`));
  for (const { name, neededFor } of await missingTools())
    say(`${name} is not installed: ${neededFor} will fail. Install it with: ${howToInstall([name])}`);
}

async function needsNatsBinary(): Promise<boolean> {
  if (only !== undefined || (await findNatsBinary()) !== undefined) return false;
  const engine = process.env['KOLLECT_TEST_SERVERS'] === 'local' ? undefined : await findEngine();
  return engine === undefined || !(await hasNatsImage(engine));
}

if (await needsNatsBinary()) {
  say('Fetching nats-server into the cache of the tests; nothing is installed.');
  if ((await fetchNatsBinary()) === undefined)
    say(`nats-server is not installed: the tests of NATS will fail. ${howToGetNats()}.`);
}

if (only !== 'kafka' && (await findKubernetesBinaries()) === undefined) {
  await fetchKubernetesBinaries(say).catch((error: unknown) => {
    say(`There is no API server: the tests of Kubernetes will fail. ${reasonOf(error)}`);
    if (only === 'kubernetes') process.exitCode = 1;
  });
}
