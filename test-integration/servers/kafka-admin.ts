import { pbkdf2, randomBytes, randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import {
  AclOperations,
  AclPermissionTypes,
  alterClientQuotasV1,
  alterPartitionReassignmentsV0,
  ClientQuotaKeys,
  ClientQuotaMatchTypes,
  ConfigSources,
  alterUserScramCredentialsV0,
  createAclsV3,
  createPartitionsV3,
  createTopicsV7,
  deleteTopicsV6,
  describeAclsV3,
  describeClientQuotasV0,
  describeConfigsV4,
  describeUserScramCredentialsV0,
  FetchIsolationLevels,
  findErrorBy,
  IncrementalAlterConfigOperationTypes,
  incrementalAlterConfigsV1,
  listOffsetsV9,
  ListOffsetTimestamps,
  ResourcePatternTypes,
  ResourceTypes,
  ResponseError,
  type API,
} from '@platformatic/kafka';
import type { KafkaConnection, KafkaUser } from './kafka-connection.ts';
import { askNode, electLeadersV2, partitionsSeenBy, refused, type PartitionState } from './kafka-requests.ts';

/** How a topic is made; every field has a default. */
export interface TopicOptions {
  /** Default 1. */
  readonly partitions?: number;
  /** Default: one on each node. */
  readonly replicationFactor?: number;
  readonly configs?: Readonly<Record<string, string>>;
}

/** What a principal is allowed to do. */
export interface Grant {
  /** A user's name, or the `CN=` of a client certificate. */
  readonly principal: string;
  readonly resource: 'topic' | 'transactional-id' | 'group' | 'cluster';
  /** Left away for the cluster. */
  readonly name?: string;
  /** True takes `name` for the beginning of names; default false. */
  readonly prefixed?: boolean;
  readonly operations: readonly (keyof typeof AclOperations)[];
}

/** Administration over the plaintext listener, on a connection of its own for each request, so that it works right after a restart. */
export interface KafkaAdmin {
  /** Resolves when every node knows the topic and its leaders. */
  createTopic(name: string, options?: TopicOptions): Promise<void>;
  /** Resolves when no node knows it any more. */
  deleteTopic(name: string): Promise<void>;
  /** Gives the topic so many partitions, more than it has; resolves when every node knows them and their leaders. */
  addPartitions(topic: string, count: number): Promise<void>;
  /** Sets configs of the topic; undefined takes one back to its default. Resolves when every node knows them. */
  alterConfigs(topic: string, configs: Readonly<Record<string, string | undefined>>): Promise<void>;
  /** Resolves when every node knows it. */
  grant(grant: Grant): Promise<void>;
  /** Sets the password of each user for both SCRAM mechanisms; resolves when every node knows it. */
  setPasswords(users: readonly KafkaUser[]): Promise<void>;
  /** How many bytes a second clients of this id may produce; resolves when every node knows it. */
  setQuota(clientId: string, bytesPerSecond: number): Promise<void>;
  /** The partitions of the topic, in order, as one node of those that answer sees them. */
  partitionsOf(topic: string): Promise<readonly PartitionState[]>;
  leaderOf(topic: string, partition?: number): Promise<number>;
  /** The offset after the last record of each partition; `committed`: before the first that belongs to an open transaction. */
  endOffsets(topic: string, options?: { readonly committed?: boolean }): Promise<ReadonlyMap<number, number>>;
  /** Makes the node lead the partition; resolves when it does, and all nodes that answer know. */
  moveLeader(topic: string, partition: number, node: number): Promise<void>;
}

const TIMEOUT_MS = 30_000;
const ITERATIONS = 4_096;
const SCRAM_DIGESTS = [
  { digest: 'sha256', bytes: 32 },
  { digest: 'sha512', bytes: 64 },
] as const;
const RESOURCES = {
  topic: ResourceTypes.TOPIC,
  'transactional-id': ResourceTypes.TRANSACTIONAL_ID,
  group: ResourceTypes.GROUP,
  cluster: ResourceTypes.CLUSTER,
} as const;

/** Administers the server that the connection describes. */
export function createKafkaAdmin({ listeners, nodes }: Pick<KafkaConnection, 'listeners' | 'nodes'>): KafkaAdmin {
  const addresses = listeners.plaintext;

  /** Asks the first node that answers. */
  async function ask<Arguments extends unknown[], Response>(
    api: API<Arguments, Response>,
    ...args: Arguments
  ): Promise<Response> {
    let failure: unknown;
    for (const address of addresses) {
      try {
        return await askNode(address, api, ...args);
      } catch (error) {
        if (error instanceof ResponseError) throw refused(error);
        failure = error;
      }
    }
    throw failure;
  }

  /** Asks every node that answers until what each of them sees is as it is to be: a change is taken by one, and the others learn of it later. */
  async function whenSeen<Seen>(
    what: string,
    look: (address: string) => Promise<Seen>,
    condition: (seen: Seen) => boolean,
  ): Promise<void> {
    for (const end = Date.now() + TIMEOUT_MS; ; await sleep(30)) {
      const views = await Promise.allSettled(addresses.map((address) => look(address)));
      const answered = views.flatMap((view) => (view.status === 'fulfilled' ? [view.value] : []));
      if (answered.length > 0 && answered.every((seen) => condition(seen))) return;
      if (Date.now() > end)
        throw new Error(
          `Kafka was asked ${what}, and after ${TIMEOUT_MS / 1_000} s its nodes see ${JSON.stringify(answered)}.`,
        );
    }
  }

  function whenTopicSeen(
    what: string,
    topic: string,
    condition: (partitions: readonly PartitionState[] | undefined) => boolean,
  ): Promise<void> {
    return whenSeen(what, (address) => partitionsSeenBy(address, topic), condition);
  }

  async function partitionsOf(topic: string): Promise<readonly PartitionState[]> {
    let failure: unknown;
    for (const address of addresses) {
      try {
        const partitions = await partitionsSeenBy(address, topic);
        if (partitions) return partitions;
      } catch (error) {
        failure = error;
      }
    }
    throw failure ?? new Error(`Kafka has no topic "${topic}".`);
  }

  async function partitionOf(topic: string, partition: number): Promise<PartitionState> {
    const found = (await partitionsOf(topic))[partition];
    if (found === undefined) throw new Error(`The topic "${topic}" has no partition ${partition}.`);
    return found;
  }

  async function endsOf(topic: string, committed: boolean): Promise<ReadonlyMap<number, number>> {
    const ends = (await partitionsOf(topic)).map(async ({ partition, leader }) => {
      const address = addresses[nodes.indexOf(leader)];
      if (address === undefined)
        throw new Error(`Nobody leads "${topic}" ${partition}, so its end is not known: wait until a node does.`);
      const wanted = { partitionIndex: partition, currentLeaderEpoch: -1, timestamp: ListOffsetTimestamps.LATEST };
      const level = committed ? FetchIsolationLevels.READ_COMMITTED : FetchIsolationLevels.READ_UNCOMMITTED;
      const { topics } = await askNode(address, listOffsetsV9.api, -1, level, [{ name: topic, partitions: [wanted] }]);
      return [partition, Number(topics[0]?.partitions[0]?.offset)] as const;
    });
    return new Map(await Promise.all(ends));
  }

  return {
    async createTopic(name, { partitions = 1, replicationFactor = nodes.length, configs = {} } = {}) {
      const settings = Object.entries(configs).map(([key, value]) => ({ name: key, value }));
      await ask(
        createTopicsV7.api,
        [{ name, numPartitions: partitions, replicationFactor, assignments: [], configs: settings }],
        TIMEOUT_MS,
        false,
      );
      await whenTopicSeen(
        `for the topic "${name}"`,
        name,
        (seen) => seen?.length === partitions && seen.every(({ leader }) => leader >= 0),
      );
    },
    async deleteTopic(name) {
      await ask(deleteTopicsV6.api, [{ name }], TIMEOUT_MS);
      await whenTopicSeen(`to delete the topic "${name}"`, name, (seen) => seen === undefined);
    },
    async addPartitions(topic, count) {
      // The brokers choose where they are; the library's type has no null, its encoder does.
      const request = { name: topic, count, assignments: null as unknown as [] };
      await ask(createPartitionsV3.api, [request], TIMEOUT_MS, false);
      await whenTopicSeen(
        `for ${count} partitions of "${topic}"`,
        topic,
        (seen) => seen?.length === count && seen.every(({ leader }) => leader >= 0),
      );
    },
    async alterConfigs(topic, configs) {
      const { SET, DELETE } = IncrementalAlterConfigOperationTypes;
      const changes = Object.entries(configs).map(([name, value]) =>
        value === undefined ? { name, configOperation: DELETE } : { name, configOperation: SET, value },
      );
      await ask(
        incrementalAlterConfigsV1.api,
        [{ resourceType: ResourceTypes.TOPIC, resourceName: topic, configs: changes }],
        false,
      );
      const wanted = {
        resourceType: ResourceTypes.TOPIC,
        resourceName: topic,
        configurationKeys: Object.keys(configs),
      };
      await whenSeen(
        `for other configs of "${topic}"`,
        async (address) => (await askNode(address, describeConfigsV4.api, [wanted])).results[0]?.configs ?? [],
        (seen) =>
          Object.entries(configs).every(([name, value]) => {
            const found = seen.find((config) => config.name === name);
            return value === undefined
              ? found?.configSource !== ConfigSources.DYNAMIC_TOPIC_CONFIG
              : found?.value === value;
          }),
      );
    },
    async grant({ principal, resource, name = 'kafka-cluster', prefixed = false, operations }) {
      const creations = operations.map((operation) => ({
        resourceType: RESOURCES[resource],
        resourceName: name,
        resourcePatternType: prefixed ? ResourcePatternTypes.PREFIXED : ResourcePatternTypes.LITERAL,
        principal: `User:${principal}`,
        host: '*',
        operation: AclOperations[operation],
        permissionType: AclPermissionTypes.ALLOW,
      }));
      await ask(createAclsV3.api, creations);
      for (const creation of creations)
        await whenSeen(
          `for rights of ${principal}`,
          async (address) => (await askNode(address, describeAclsV3.api, creation)).resources,
          (resources) => resources.some(({ acls }) => acls.length > 0),
        );
    },
    async setPasswords(users) {
      // Nodes say of a password no more than its iterations, so each has a number of its own.
      const iterations = randomInt(ITERATIONS, 2 * ITERATIONS);
      // One mechanism after the other: a request may name a user once.
      for (const [index, { digest, bytes }] of SCRAM_DIGESTS.entries()) {
        const upsertions = users.map(async ({ username, password }) => {
          const salt = randomBytes(16);
          const saltedPassword = await promisify(pbkdf2)(password, salt, iterations, bytes, digest);
          return { name: username, mechanism: index + 1, iterations, salt, saltedPassword };
        });
        await ask(alterUserScramCredentialsV0.api, [], await Promise.all(upsertions));
      }
      const names = users.map(({ username }) => ({ name: username }));
      await whenSeen(
        'for passwords',
        async (address) => (await askNode(address, describeUserScramCredentialsV0.api, names)).results,
        (results) =>
          results.every(
            ({ credentialInfos }) =>
              credentialInfos.length === SCRAM_DIGESTS.length &&
              credentialInfos.every((info) => info.iterations === iterations),
          ),
      );
    },
    async setQuota(clientId, bytesPerSecond) {
      const key = ClientQuotaKeys.PRODUCER_BYTE_RATE;
      const ops = [{ key, value: bytesPerSecond, remove: false } as const];
      await ask(
        alterClientQuotasV1.api,
        [{ entities: [{ entityType: 'client-id', entityName: clientId }], ops }],
        false,
      );
      const wanted = { entityType: 'client-id', matchType: ClientQuotaMatchTypes.EXACT, match: clientId } as const;
      await whenSeen(
        `for a quota of "${clientId}"`,
        async (address) => (await askNode(address, describeClientQuotasV0.api, [wanted], false)).entries ?? [],
        (entries) => entries.some(({ values }) => values.some(({ value }) => value === bytesPerSecond)),
      );
    },
    partitionsOf,
    leaderOf: async (topic, partition = 0) => (await partitionOf(topic, partition)).leader,
    async endOffsets(topic, { committed = false } = {}) {
      for (const end = Date.now() + TIMEOUT_MS; ; await sleep(30)) {
        try {
          return await endsOf(topic, committed);
        } catch (error) {
          // A new leader may be known to all but itself.
          if (findErrorBy(error as Error, 'apiId', 'NOT_LEADER_OR_FOLLOWER') === null || Date.now() > end) throw error;
        }
      }
    },
    async moveLeader(topic, partition, node) {
      const { replicas, leader } = await partitionOf(topic, partition);
      if (!replicas.includes(node))
        throw new Error(
          `Node ${node} holds no replica of "${topic}" ${partition}, which is on ${replicas.join(', ')}: name one of those.`,
        );
      if (leader === node) return;
      const wanted = [node, ...replicas.filter((id) => id !== node)];
      await ask(alterPartitionReassignmentsV0.api, TIMEOUT_MS, false, [
        { name: topic, partitions: [{ partitionIndex: partition, replicas: wanted }] },
      ]);
      await whenTopicSeen(
        `to prefer node ${node}`,
        topic,
        (seen) => seen?.[partition]?.replicas[0] === node && seen[partition].inSyncReplicas.includes(node),
      );
      await ask(electLeadersV2, topic, partition, TIMEOUT_MS);
      await whenTopicSeen(`to have node ${node} lead`, topic, (seen) => seen?.[partition]?.leader === node);
    },
  };
}
