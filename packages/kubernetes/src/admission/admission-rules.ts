import { SinkError, type SinkDefinition, type SinkRegistry } from '@kollect/core';
import { celText } from '../crds/cel.ts';
import { celNamesDeniedHost, namesDeniedHost, type AddressJudge, type DeniedRanges } from './server-hosts.ts';
import { privateKeyText, secretFieldName, secretText } from './secret-texts.ts';
import { celAny, sinkFields, textsOf, type SinkField } from './sink-fields.ts';

/** What is asked of a text, in both languages. */
interface TextTest {
  readonly test: (text: string, judge: AddressJudge) => boolean;
  readonly cel: (text: string, ranges: DeniedRanges) => string;
}

/** What no sink may say: in one place of its spec, asked of every text there, by the policy and by the handler alike. */
export interface AdmissionRule {
  /** `forbidden`: somebody could allow it. `invalid`: nobody could. */
  readonly kind: 'forbidden' | 'invalid';
  /** Names the field and says what to do; the same whatever the text is. */
  readonly message: string;
  /** Whether a spec breaks it. */
  readonly isBroken: (spec: unknown, judge: AddressJudge) => boolean;
  /** The same in CEL, of `object.spec`. */
  readonly celIsBroken: (ranges: DeniedRanges) => string;
}

export interface RulesOptions {
  readonly registry: SinkRegistry;
  readonly allowedTypes?: readonly string[] | undefined;
}

/** The one list: `generateAdmissionPolicy` writes it in CEL, `createAdmissionHandler` asks it. Throws SPEC_INVALID for a type that nobody registered. */
export function admissionRules({ registry, allowedTypes }: RulesOptions): readonly AdmissionRule[] {
  const types = readTypes(registry, allowedTypes);
  const fields = types.flatMap((type) => sinkFields(registry.definition(type).specSchema, type));
  return [
    typeRule(types),
    rule(bundle, privateKeyText, 'invalid', 'holds a private key; give the certificates alone'),
    ...fields.flatMap((field) => [...secretRules(field), ...addressRules(field)]),
  ];
}

const typeField: SinkField = { path: 'spec.type', steps: [{ field: 'type' }], holds: 'text' };
const bundle: SinkField = { path: 'spec.ca.bundle', steps: [{ field: 'ca' }, { field: 'bundle' }], holds: 'text' };

function readTypes(registry: SinkRegistry, allowed: readonly string[] | undefined): readonly string[] {
  const types = allowed ?? registry.types;
  const definitions: readonly SinkDefinition[] = types.map((type) => registry.definition(type));
  if (types.length > 0) return [...new Set(definitions.map(({ type }) => type))];
  throw new SinkError('SPEC_INVALID', 'allowedTypes is empty: no sink could be made; name one type at least.');
}

const mostShownTypes = 20;

function typeRule(types: readonly string[]): AdmissionRule {
  const shown = `${types.slice(0, mostShownTypes).join(', ')}${types.length > mostShownTypes ? '…' : ''}`;
  return rule(
    typeField,
    {
      test: (text) => !types.includes(text),
      cel: (text) => `!(${text} in [${types.map(celText).join(', ')}])`,
    },
    'forbidden',
    `sinks of this type are not allowed; allowed: ${shown}`,
  );
}

const toSecret = 'put it into the Secret that secretRef names';

function secretRules(field: SinkField): readonly AdmissionRule[] {
  if (field.holds === 'keys')
    return [rule(field, secretFieldName, 'invalid', `has a key that is named like a secret; ${toSecret}`)];
  if (field.holds === 'words') return [];
  const name = field.path.slice(field.path.lastIndexOf('.') + 1);
  // A field of a type that is made for a secret: whatever stands there.
  if (field.holds === 'text' && field.steps.at(-1) !== 'values' && secretFieldName.test(name))
    return [rule(field, always, 'invalid', `is named like a secret; ${toSecret}`)];
  return [rule(field, secretText, 'invalid', `holds what looks like a secret; ${toSecret}`)];
}

const always: TextTest = { test: () => true, cel: () => 'true' };

const deniedServer: TextTest = { test: namesDeniedHost, cel: celNamesDeniedHost };

function addressRules(field: SinkField): readonly AdmissionRule[] {
  const problem = 'names a server that sinks may not call; give a name, or an address that the operator allows';
  return field.holds === 'server-address' ? [rule(field, deniedServer, 'forbidden', problem)] : [];
}

function rule(field: SinkField, { test, cel }: TextTest, kind: AdmissionRule['kind'], problem: string): AdmissionRule {
  return Object.freeze({
    kind,
    message: `${field.path}: ${problem}.`,
    isBroken: (spec: unknown, judge: AddressJudge) => textsOf(spec, field).some((text) => test(text, judge)),
    celIsBroken: (ranges: DeniedRanges) => celAny(field, (text) => cel(text, ranges)),
  });
}
