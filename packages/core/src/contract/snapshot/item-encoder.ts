import { isPromise } from 'node:util/types';
import { createCanonicalWriter } from '../json/canonical-json.ts';
import { isPlainObject } from '../json/plain-object.ts';
import { Refusal } from '../json/refusal.ts';
import { SinkError, type SinkOperation } from '../errors/errors.ts';
import { formatScope } from './scope.ts';
import { sanitizeValue } from '../json/sanitize.ts';
import { PooledItem } from './sealed-item.ts';
import type { Item, ItemIdentity, Scope } from './snapshot.ts';
import { isList } from '../errors/show-value.ts';
import { ownData } from '../errors/thrown.ts';
import { isPrintable, sanitizeText } from '../json/text.ts';

type Field = keyof ItemIdentity;

const maxShared = 50_000;

const fields: readonly (keyof Item)[] = [
  'targetNamespace',
  'targetName',
  'namespace',
  'name',
  'group',
  'version',
  'kind',
  'uid',
  'attributes',
];
const knownFields: ReadonlySet<string> = new Set(fields);
const remedyForUnknown = `an item holds ${fields.join(', ')}; what belongs to the object goes into attributes`;

export interface ItemEncoder {
  /** Checks one item and writes its canonical JSON; throws SNAPSHOT_INVALID. `index` is its place in a list; `json` is valid until the next call. */
  encode(item: unknown, index?: number): { readonly identity: ItemIdentity; readonly json: Uint8Array };
  /** The same as an item of its own, for as long as somebody has it; such items share their memory. */
  toItem(item: unknown, index?: number): PooledItem;
}

export interface ItemEncoderOptions {
  readonly scope: Scope;
  readonly operation: SinkOperation;
  readonly sanitize?: boolean | undefined;
}

/** The one place where an item of the host, or of a document, becomes canonical bytes. */
export function createItemEncoder({ scope, operation, sanitize = false }: ItemEncoderOptions): ItemEncoder {
  const writer = createCanonicalWriter();
  const shared = new Map<string, string>();

  /** One string for equal ones: they compare by address when items are sorted, and a snapshot outlives the host's objects. */
  function share(text: string): string {
    const known = shared.get(text);
    if (known !== undefined) return known;
    // An inventory lives as long as its operator and sees namespaces come and go.
    if (shared.size === maxShared) shared.clear();
    shared.set(text, text);
    return text;
  }

  function readIdentity(item: object): ItemIdentity {
    for (const key of Object.keys(item)) {
      if (!knownFields.has(key))
        throw new Refusal({ path: [key], problem: 'is not a field of an item', remedy: remedyForUnknown });
    }
    const group = readText(item, 'group');
    const identity: { -readonly [F in keyof ItemIdentity]: ItemIdentity[F] } = {
      targetNamespace: share(readText(item, 'targetNamespace')),
      targetName: share(readText(item, 'targetName')),
      namespace: share(readText(item, 'namespace')),
      name: readText(item, 'name'),
      version: share(readText(item, 'version')),
      kind: share(readText(item, 'kind')),
      uid: readText(item, 'uid'),
    };
    // An empty group is the core group, which has one form: equal inventories have equal checksums.
    if (group !== '') identity.group = share(group);
    return identity;
  }

  function readText(item: object, field: Field): string {
    const value = readField(item, field);
    if (value === undefined && field === 'group') return '';
    if (typeof value !== 'string') {
      throw new Refusal({ path: [field], problem: `is ${describeType(value)}`, remedy: 'give a string' });
    }
    if (value === '' && required.has(field))
      throw new Refusal({ path: [field], problem: 'is empty', remedy: 'give a non-empty string' });
    return sanitize ? sanitizeText(value) : value;
  }

  function write(identity: ItemIdentity, attributes: unknown): void {
    writer.reset();
    writer.raw('{"attributes":');
    writer.value(attributes, 'attributes');
    if (identity.group !== undefined) writeText(',"group":', identity.group, 'group');
    writeText(',"kind":', identity.kind, 'kind');
    writeText(',"name":', identity.name, 'name');
    writeText(',"namespace":', identity.namespace, 'namespace');
    writeText(',"targetName":', identity.targetName, 'targetName');
    writeText(',"targetNamespace":', identity.targetNamespace, 'targetNamespace');
    writeText(',"uid":', identity.uid, 'uid');
    writeText(',"version":', identity.version, 'version');
    writer.raw('}');
  }

  function writeText(prefix: string, text: string, field: Field): void {
    writer.raw(prefix);
    writer.value(text, field);
  }

  function refusalOf(error: unknown, item: unknown, index: number | undefined): unknown {
    if (!(error instanceof Refusal)) return foreign(item, index);
    const remedy = sanitize ? error.remedy.replace(', or seal with sanitize', '') : error.remedy;
    const where = `Inventory ${formatScope(scope)}, ${describeItem(item, index)}`;
    const path = error.path.length === 0 ? 'it' : '';
    return new SinkError(
      'SNAPSHOT_INVALID',
      `${where}: ${path}${error.message.slice(0, -error.remedy.length - 1)}${remedy}.`,
      { operation },
    );
  }

  /** Of a proxy that throws: what it says is the host's, and may hold anything. */
  function foreign(item: unknown, index: number | undefined): SinkError {
    const where = `Inventory ${formatScope(scope)}, ${describeItem(item, index)}`;
    const problem = 'it cannot be read, since a getter or a proxy in it throws: give plain data';
    return new SinkError('SNAPSHOT_INVALID', `${where}: ${problem}.`, { operation });
  }

  function writeItem(item: unknown): ItemIdentity {
    if (typeof item !== 'object' || item === null || Array.isArray(item) || !isPlainObject(item)) {
      throw new Refusal({
        path: [],
        problem: `is ${describeType(item)}`,
        remedy: 'give a plain object with the fields of an item',
      });
    }
    const identity = readIdentity(item);
    const attributes = readField(item, 'attributes');
    if (typeof attributes !== 'object' || attributes === null || Array.isArray(attributes)) {
      throw new Refusal({
        path: ['attributes'],
        problem: `is ${describeType(attributes)}`,
        remedy: 'give a plain object',
      });
    }
    try {
      write(identity, attributes);
    } catch (error) {
      if (!sanitize || !(error instanceof Refusal) || !error.sanitizable) throw error;
      write(identity, sanitizeValue(attributes, ['attributes']));
    }
    return identity;
  }

  function writeOrRefuse(item: unknown, index: number | undefined): ItemIdentity {
    try {
      return writeItem(item);
    } catch (error) {
      throw refusalOf(error, item, index);
    }
  }

  return {
    encode(item, index) {
      if (isMade(item)) return { identity: item, json: item.json };
      const identity = writeOrRefuse(item, index);
      return { identity, json: writer.written() };
    },
    toItem(item, index) {
      if (!isMade(item)) return new PooledItem(writeOrRefuse(item, index), writer.keep());
      writer.reset();
      writer.bytes(item.json);
      return new PooledItem(item, writer.keep());
    },
  };
}

/** One of a snapshot or of a document: it was checked and written already. */
function isMade(item: unknown): item is PooledItem {
  return typeof item === 'object' && item !== null && PooledItem.isPooled(item);
}

const required: ReadonlySet<Field> = new Set<Field>(['targetName', 'name', 'version', 'kind', 'uid']);

function readField(item: object, field: keyof Item): unknown {
  const descriptor = Object.getOwnPropertyDescriptor(item, field);
  if (descriptor?.get === undefined && descriptor?.set === undefined) return descriptor?.value;
  throw new Refusal({ path: [field], problem: 'is computed by a getter or setter', remedy: 'give the value itself' });
}

/** `Deployment shop/web (uid 1234)`, or the place in the list where the item does not say who it is. */
export function describeItem(item: unknown, index?: number): string {
  const [kind, namespace, name, uid] = ['kind', 'namespace', 'name', 'uid'].map((field) => ownData(item, field));
  const at = index === undefined ? 'the item' : `item ${index} of the list`;
  if (!isShowable(kind) || !isShowable(name)) return at;
  const where = isShowable(namespace) ? `${namespace}/` : '';
  return `${kind} ${where}${name} (${isShowable(uid) ? `uid ${uid}` : at})`;
}

function isShowable(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= 300 && isPrintable(value);
}

/** What a value is, without the value: `missing`, `null`, `an array`, `a number`. */
export function describeType(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (isList(value)) return 'an array';
  if (isPromise(value)) return 'a promise, which must be awaited first';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
