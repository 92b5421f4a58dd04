import type { Item, JsonValue } from '@kollect/core';
import { aCount, checkOptions, listOf, required, someText, type OptionKinds } from '@kollect/core/authoring';
import { createRandom, type Random } from './random.ts';

export interface MakeItemsOptions {
  readonly count: number;
  /** Items of different seeds have different UIDs. Default 1. */
  readonly seed?: number;
  /** Names of the targets that collected the items, in turn. Default `workloads` and `network`. */
  readonly targets?: readonly [string, ...string[]];
  /** Least size of an item's attributes as JSON, in bytes; smaller ones are padded. Default 0. */
  readonly bytes?: number;
}

interface SampleKind {
  readonly group?: string;
  readonly version: string;
  readonly kind: string;
  readonly clusterScoped?: true;
}

const kinds: readonly [SampleKind, ...SampleKind[]] = [
  { group: 'apps', version: 'v1', kind: 'Deployment' },
  { group: 'apps', version: 'v1', kind: 'StatefulSet' },
  { group: 'batch', version: 'v1', kind: 'CronJob' },
  { version: 'v1', kind: 'Pod' },
  { version: 'v1', kind: 'Service' },
  { version: 'v1', kind: 'ConfigMap' },
  { version: 'v1', kind: 'Node', clusterScoped: true },
  { group: 'networking.k8s.io', version: 'v1', kind: 'Ingress' },
  { group: 'cert-manager.io', version: 'v1', kind: 'Certificate' },
  { group: 'monitoring.coreos.com', version: 'v1alpha1', kind: 'AlertmanagerConfig' },
];
const namespaces = ['payments', 'checkout', 'kube-system', 'observability', 'team-größe'] as const;
const applications = ['api', 'worker', 'gateway', 'ledger', 'search', 'mailer'] as const;
const owners = ['Zoë Müller', '山田太郎', 'Ольга', 'مريم', 'Sam "the ops" O\'Neil', 'deploy bot 🤖'] as const;

const itemKinds: OptionKinds<MakeItemsOptions> = {
  count: required(aCount),
  seed: aCount,
  targets: listOf(someText),
  bytes: aCount,
};

/** Items that look like those of a busy cluster; the same options give the same items. */
export function makeItems(options: MakeItemsOptions): Item[] {
  const {
    count,
    seed = 1,
    targets = ['workloads', 'network'],
    bytes = 0,
  } = checkOptions<MakeItemsOptions>(options, itemKinds, { of: 'The options of makeItems' });
  const random = createRandom(seed);
  return Array.from({ length: count }, (_, index) =>
    makeItem({ random, index, target: targets[index % targets.length] ?? targets[0], bytes }),
  );
}

interface MakeItemOptions {
  readonly random: Random;
  readonly index: number;
  readonly target: string;
  readonly bytes: number;
}

/** One item; `index` makes its name unique among its siblings, and the random numbers its UID. */
export function makeItem({ random, index, target, bytes }: MakeItemOptions): Item {
  const { group, version, kind, clusterScoped } = random.pick(kinds);
  return {
    targetNamespace: 'kollect-system',
    targetName: target,
    namespace: clusterScoped === true ? '' : random.pick(namespaces),
    name: `${random.pick(applications)}-${index}`,
    ...(group === undefined ? {} : { group }),
    version,
    kind,
    uid: makeUid(random),
    attributes: makeAttributes(random, bytes),
  };
}

/** What `evolve` changes, too. */
export function makeAttributes(random: Random, bytes: number): { [key: string]: JsonValue } {
  const application = random.pick(applications);
  const attributes = {
    image: `registry.example.com/${application}:1.${random.below(40)}.${random.below(1000)}`,
    replicas: random.below(12),
    load: random.next(),
    paused: random.next() < 0.1,
    owner: random.pick(owners),
    priorityClass: random.next() < 0.5 ? null : '',
    labels: { 'app.kubernetes.io/name': application, 'example.com/cost-centre': `${random.below(90_000)}` },
    conditions: [
      { type: 'Available', status: 'True', observedGeneration: random.below(1_000_000) },
      { type: 'Progressing', status: 'False', message: 'line one\nline two' },
    ],
  };
  const missing = bytes - Buffer.byteLength(JSON.stringify(attributes));
  return missing <= 0 ? attributes : { ...attributes, notes: padding(random, missing) };
}

/** Words rather than one repeated letter, so that a store that compresses sees something like real data. */
function padding(random: Random, bytes: number): string {
  const words: string[] = [];
  for (let length = 0; length < bytes; length += 8) words.push(makeHex(random, 7));
  return words.join(' ');
}

function makeUid(random: Random): string {
  return [8, 4, 4, 4, 12].map((length) => makeHex(random, length)).join('-');
}

function makeHex(random: Random, length: number): string {
  let hex = '';
  while (hex.length < length) hex += random.below(0x1_0000_0000).toString(16).padStart(8, '0');
  return hex.slice(0, length);
}
