/** A rule of a schema, as the API server checks it: CEL, and what it says where the rule is broken. */
export interface ValidationRule {
  readonly rule: string;
  readonly message: string;
  /** Below the node: what the message is about. */
  readonly fieldPath?: string;
}

const reserved: ReadonlySet<string> = new Set(
  (
    'true false null in as break const continue else for function if import let loop package namespace return var ' +
    'void while'
  ).split(' '),
);

/** A field's name as CEL wants it. */
export function celField(name: string): string {
  if (reserved.has(name)) return `__${name}__`;
  return name
    .replaceAll('__', '__underscores__')
    .replaceAll('.', '__dot__')
    .replaceAll('-', '__dash__')
    .replaceAll('/', '__slash__');
}

/** A text as a literal of CEL. */
export function celText(text: string): string {
  return JSON.stringify(text);
}
