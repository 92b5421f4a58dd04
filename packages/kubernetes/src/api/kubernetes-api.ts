/** A resource type of an API server: what its paths are made of. */
export interface ResourceType {
  /** `v1`, `apps/v1`, `kollect.dev/v1alpha1`. */
  readonly apiVersion: string;
  readonly kind: string;
  /** `deployments`. */
  readonly plural: string;
  readonly namespaced: boolean;
}

/** What every object has; the rest is the business of its reader. */
export interface ApiObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
  readonly [field: string]: unknown;
}

export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly finalizers?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly [field: string]: unknown;
}

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

export interface CallOptions {
  readonly signal: AbortSignal;
}

/** Which objects. Without a namespace: all of the cluster. */
export interface Selection {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Objects without anything but their metadata, such as Secrets without their data. Asks for the same permission. */
  readonly metadataOnly?: boolean;
}

export interface ListOptions extends CallOptions, Selection {
  /** Most objects of one page. */
  readonly limit?: number;
  /** What the page before gave. */
  readonly continue?: string;
  /** `0`: what the server has at hand, which may be older than what it gave before. Absent: the newest. */
  readonly resourceVersion?: string;
}

export interface ListPage {
  /** Each with `apiVersion` and `kind`, which servers leave out of lists. */
  readonly items: readonly ApiObject[];
  /** Of the list: where a watch goes on. */
  readonly resourceVersion: string;
  /** Absent on the last page. */
  readonly continue?: string;
}

export interface WatchOptions extends CallOptions, Selection {
  readonly resourceVersion: string;
  /** The server ends the watch after this. */
  readonly timeoutSeconds: number;
}

/** BOOKMARK says nothing but `metadata.resourceVersion`. What a server says as ERROR is thrown as an ApiError. */
export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: ApiObject;
}

/** One object by its name. */
export interface ObjectName {
  readonly name: string;
  /** Absent for resources of the cluster. */
  readonly namespace?: string;
}

export interface PatchOptions extends CallOptions {
  readonly subresource?: 'status';
  /** A JSON merge patch (RFC 7396), or an object to apply as `fieldManager`, taking over fields of others; what it is called may be left out. */
  readonly type: 'merge' | 'apply';
  readonly fieldManager: string;
}

export interface DeleteOptions extends CallOptions {
  /** Only the object of this uid; another of its name is a 409. */
  readonly uid?: string;
}

/**
 * The calls that an operator makes of an API server: a port, so that any client and any fake fits. Every call rejects with an
 * ApiError, and with the signal's reason after an abort; none is retried by an adapter.
 */
export interface KubernetesApi {
  list(type: ResourceType, options: ListOptions): Promise<ListPage>;
  /** Bookmarks are asked for. Ends when the server ends it. */
  watch(type: ResourceType, options: WatchOptions): AsyncIterable<WatchEvent>;
  /** Undefined where there is none of this name. */
  get(type: ResourceType, of: ObjectName, options: CallOptions): Promise<ApiObject | undefined>;
  create(type: ResourceType, object: ApiObject, options: CallOptions): Promise<ApiObject>;
  /** Replaces the object; a `metadata.resourceVersion` that is no longer the current one is a 409. */
  replace(type: ResourceType, object: ApiObject, options: CallOptions): Promise<ApiObject>;
  patch(type: ResourceType, of: ObjectName, body: object, options: PatchOptions): Promise<ApiObject>;
  /** Resolves too where there is none of this name. */
  delete(type: ResourceType, of: ObjectName, options: DeleteOptions): Promise<void>;
  /** What the server serves of one `apiVersion`; empty where it knows none of it. */
  resourceTypes(apiVersion: string, options: CallOptions): Promise<readonly ResourceType[]>;
  /** Ends every call and every connection; for who made it, or was given it for good. */
  close?(): Promise<void>;
}
