import { checkOptions, listOf, required, someText } from '../contract/errors/check-options.ts';
import { SinkError } from '../contract/errors/errors.ts';
import { suggestion } from '../contract/errors/nearest-name.ts';
import { showText } from '../contract/errors/show-value.ts';

/** What of the host's own a sink may use. All false unless the host allowed it: else every tenant who may write a resource acts as the operator. */
export interface HostIdentity {
  /** Default chains of cloud clients: environment variables, shared files, web identity tokens of the process. */
  readonly cloudCredentials: boolean;
  /** The metadata service of the machine, which gives out tokens. The egress policy has to allow its address as well. */
  readonly instanceMetadata: boolean;
  /** `HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY` of the environment. */
  readonly proxy: boolean;
  /** Variables and files that client libraries read for themselves, such as `PGOPTIONS` or the configuration of git. */
  readonly clientConfig: boolean;
}

/** One thing that a host may allow. */
export type HostIdentityPart = keyof HostIdentity;

/** Allows some sinks to use something of the host's own. */
export interface HostIdentityGrant {
  readonly allow: readonly HostIdentityPart[];
  /** To sinks of these types. Default: of every type. */
  readonly types?: readonly string[];
  /** To sinks of these names, as they are given with the connection. Default: whatever their name. */
  readonly sinks?: readonly string[];
}

/** Who may use what of the host's own. */
export type HostIdentityFor = (sink: { readonly type: string; readonly name: string | undefined }) => HostIdentity;

const nothing: HostIdentity = Object.freeze({
  cloudCredentials: false,
  instanceMetadata: false,
  proxy: false,
  clientConfig: false,
});
const parts = Object.keys(nothing) as readonly HostIdentityPart[];

/** Throws SPEC_INVALID for a grant that is misspelled or of another form: a mistake must not allow more than was meant. */
export function readHostIdentity(
  grants: readonly HostIdentityGrant[] | undefined,
  types: readonly string[],
): HostIdentityFor {
  if (grants === undefined) return () => nothing;
  const checked = grants.map((grant, index) => readGrant(grant, `hostIdentity[${index}]`, types));
  return ({ type, name }) => {
    const granted = checked.filter(
      ({ types: of, sinks }) => of?.includes(type) !== false && (sinks === undefined || isIn(sinks, name)),
    );
    const allowed = new Set(granted.flatMap(({ allow }) => allow));
    return Object.freeze(Object.fromEntries(parts.map((part) => [part, allowed.has(part)]))) as unknown as HostIdentity;
  };
}

function isIn(names: readonly string[], name: string | undefined): boolean {
  return name !== undefined && names.includes(name);
}

function readGrant(grant: unknown, path: string, types: readonly string[]): HostIdentityGrant {
  const subject = { of: `The ${path} of createSinkRegistry` };
  const names = listOf(someText);
  const kinds = { allow: required(names), types: names, sinks: names };
  const read = checkOptions(grant as HostIdentityGrant, kinds, subject);
  knownAlone(read.allow, parts, `${subject.of}: allow`);
  knownAlone(read.types ?? [], types, `${subject.of}: types`);
  return read;
}

function knownAlone(names: readonly string[], known: readonly string[], path: string): void {
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new SinkError(
      'SPEC_INVALID',
      `${path} names ${showText(unknown)}, which is not known; ${suggestion(unknown, known)}.`,
      {
        operation: 'create',
      },
    );
}
