type ScalarName = 'string' | 'integer' | 'number' | 'boolean';

interface Noted {
  readonly description?: string;
}

interface StringSchema extends Noted {
  readonly type: 'string';
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  /**
   * `duration`: what `parseDuration` reads, such as `30s`. `server-address`: whom the sink calls, a host, `host:port` or a URL, so that admission can judge it
   * before anybody dials; what it looks like is the sink's to say.
   */
  readonly format?: 'duration' | 'server-address';
  readonly default?: string;
}

interface NumberSchema extends Noted {
  readonly type: 'integer' | 'number';
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: number;
}

interface BooleanSchema extends Noted {
  readonly type: 'boolean';
  readonly default?: boolean;
}

/** One of two scalars, such as a number or a percentage: each keyword binds the type that it belongs to. */
interface EitherSchema extends Noted {
  readonly type: readonly [ScalarName, ScalarName];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly default?: string | number | boolean;
}

interface ArraySchema extends Noted {
  readonly type: 'array';
  readonly items: SpecNode;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly default?: readonly unknown[];
}

/** Names that the user chooses, each with a value of one kind. */
interface MapSchema extends Noted {
  readonly type: 'object';
  readonly additionalProperties: SpecNode;
  readonly maxProperties?: number;
  readonly default?: { readonly [key: string]: unknown };
}

interface ObjectSchema extends Noted {
  readonly type: 'object';
  readonly properties: { readonly [name: string]: SpecNode & { readonly description: string } };
  readonly required?: readonly string[];
  readonly additionalProperties: false;
  readonly default?: { readonly [key: string]: unknown };
}

type SpecNode = StringSchema | NumberSchema | BooleanSchema | EitherSchema | ArraySchema | MapSchema | ObjectSchema;

/** The schema of a sink type's own block: a closed subset of JSON Schema from which the compiler infers the block's type. */
export type SpecSchema = ObjectSchema;

interface ScalarTypes {
  readonly string: string;
  readonly integer: number;
  readonly number: number;
  readonly boolean: boolean;
}

type Simplify<T> = { [K in keyof T]: T[K] };
type RequiredIn<Schema> = Schema extends { readonly required: readonly (infer Name)[] } ? Name : never;
type DefaultedIn<Properties> = {
  [K in keyof Properties]: Properties[K] extends { readonly default: unknown } ? K : never;
}[keyof Properties];

type ScalarOf<Schema> = Schema extends { readonly enum: readonly (infer Member)[] }
  ? Member
  : Schema extends { readonly type: readonly (infer Name extends ScalarName)[] }
    ? ScalarTypes[Name]
    : Schema extends { readonly type: infer Name extends ScalarName }
      ? ScalarTypes[Name]
      : never;

type PropertiesOf<Properties, Present> = [keyof Properties] extends [never]
  ? Readonly<Partial<Record<string, never>>>
  : Simplify<
      { readonly [K in keyof Properties as K extends Present ? K : never]: SpecOf<Properties[K]> } & {
        readonly [K in keyof Properties as K extends Present ? never : K]?: SpecOf<Properties[K]>;
      }
    >;

/** What a sink gets: the schema's type with every default filled in. */
export type SpecOf<Schema> = Schema extends { readonly properties: infer Properties }
  ? PropertiesOf<Properties, RequiredIn<Schema> | DefaultedIn<Properties>>
  : Schema extends { readonly type: 'object'; readonly additionalProperties: infer Value }
    ? { readonly [key: string]: SpecOf<Value> }
    : Schema extends { readonly type: 'array'; readonly items: infer Element }
      ? readonly SpecOf<Element>[]
      : ScalarOf<Schema>;

type InputProperties<Properties, Demanded> = [keyof Properties] extends [never]
  ? Readonly<Partial<Record<string, never>>>
  : Simplify<
      { readonly [K in keyof Properties as K extends Demanded ? K : never]: SpecInput<Properties[K]> } & {
        readonly [K in keyof Properties as K extends Demanded ? never : K]?: SpecInput<Properties[K]> | undefined;
      }
    >;

/** What a user writes: the schema's type, where a property with a default may be left out. */
export type SpecInput<Schema> = Schema extends { readonly properties: infer Properties }
  ? InputProperties<Properties, Exclude<RequiredIn<Schema>, DefaultedIn<Properties>>>
  : Schema extends { readonly type: 'object'; readonly additionalProperties: infer Value }
    ? { readonly [key: string]: SpecInput<Value> }
    : Schema extends { readonly type: 'array'; readonly items: infer Element }
      ? readonly SpecInput<Element>[]
      : ScalarOf<Schema>;
