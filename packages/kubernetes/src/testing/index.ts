// For the tests of an operator: an API server in memory, and its faults.
export { createFakeApi } from './fake-api.ts';
export type { FakeApi, FakeApiOptions, FakeCall, FakeCallMatch, FakeFault, FakeVerb } from './fake-api-types.ts';
export { ApiError, type ApiErrorOptions, type ApiErrorReason } from '../api/api-error.ts';
export type {
  ApiObject,
  CallOptions,
  DeleteOptions,
  KubernetesApi,
  ListOptions,
  ListPage,
  ObjectMeta,
  ObjectName,
  OwnerReference,
  PatchOptions,
  ResourceType,
  Selection,
  WatchEvent,
  WatchOptions,
} from '../api/kubernetes-api.ts';
