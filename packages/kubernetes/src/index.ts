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
