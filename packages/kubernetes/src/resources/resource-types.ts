import type { ResourceType } from '../api/kubernetes-api.ts';

/** Group and version of every resource of ours. */
export const apiVersion = 'kollect.dev/v1alpha1';

const typeOf = <Kind extends string>(kind: Kind, plural: string) =>
  Object.freeze({ apiVersion, kind, plural, namespaced: true } as const) satisfies ResourceType;

/** Where inventories are delivered to. */
export const sinkType = typeOf('KollectSink', 'kollectsinks');
/** What is delivered: which targets, and to which sinks. */
export const inventoryType = typeOf('KollectInventory', 'kollectinventories');
/** Which objects of the cluster, and what is read of them. */
export const targetType = typeOf('KollectTarget', 'kollecttargets');
/** What is read of objects, by a name. */
export const profileType = typeOf('KollectProfile', 'kollectprofiles');
/** One connection test of a sink. */
export const connectionTestType = typeOf('KollectConnectionTest', 'kollectconnectiontests');

/** All of them. */
export const kollectTypes = Object.freeze([sinkType, inventoryType, targetType, profileType, connectionTestType]);
