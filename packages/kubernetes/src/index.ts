// The API server, as a port.
export { ApiError, type ApiErrorOptions, type ApiErrorReason } from './api/api-error.ts';
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
} from './api/kubernetes-api.ts';

// The objects of the API server, kept up to date.
export { createResourceWatch } from './watch/resource-watch.ts';
export type {
  IncompleteReason,
  ResourceWatch,
  ResourceWatchOptions,
  WatchApi,
  WatchChange,
  WatchedObject,
  WatchState,
} from './watch/watch-types.ts';
