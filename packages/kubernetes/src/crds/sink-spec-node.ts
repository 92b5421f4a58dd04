import type { SinkDefinition, SinkRegistry } from '@kollect/core';
import { sinkSpecSchema } from '../resources/sink-schema.ts';
import { celField, celText, type ValidationRule } from './cel.ts';
import type { SchemaNode } from './structural-schema.ts';

/** `spec` of a KollectSink: the block of every registered type, and rules that the one named by `type` is there alone. */
export function sinkSpecNode(registry: SinkRegistry): SchemaNode {
  const definitions = registry.types.map((type) => registry.definition(type));
  const { properties, required } = sinkSpecSchema;
  const blocks = definitions.map(({ type, specSchema }): [string, SchemaNode] => [
    type,
    { ...specSchema, description: specSchema.description ?? `What a sink of type ${type} is told.` },
  ]);
  return {
    type: 'object',
    required,
    properties: {
      ...properties,
      type: { ...properties.type, enum: registry.types },
      ...Object.fromEntries(blocks),
      secretRef: { ...properties.secretRef, 'x-kubernetes-validations': [presetOrKeys] },
      ca: { ...properties.ca, 'x-kubernetes-validations': [oneSource] },
    },
    'x-kubernetes-validations': [...definitions.flatMap(rulesOf), sameType],
  };
}

/** A block whose fields all have defaults may be left out. */
function rulesOf({ type, specSchema }: SinkDefinition): readonly ValidationRule[] {
  const block = `has(self.${celField(type)})`;
  const isType = `self.type == ${celText(type)}`;
  const mayBeLeftOut = (specSchema.required ?? []).length === 0;
  return [
    {
      rule: mayBeLeftOut ? `!${block} || ${isType}` : `${block} == (${isType})`,
      message: mayBeLeftOut
        ? `${type} is the block of sinks of type ${type} alone`
        : `${type} is the block of sinks of type ${type}, which need it, and of no others`,
      fieldPath: `.${type}`,
    },
  ];
}

const sameType: ValidationRule = {
  rule: 'self.type == oldSelf.type',
  message: 'the type of a sink cannot be changed; make another sink',
  fieldPath: '.type',
};

const presetOrKeys: ValidationRule = {
  rule: '!(has(self.preset) && has(self.keys))',
  message: 'give preset or keys, not both',
};

const oneSource: ValidationRule = {
  rule: '[has(self.secretRef), has(self.configMapRef), has(self.bundle)].filter(one, one).size() == 1',
  message: 'give one of secretRef, configMapRef and bundle',
};
