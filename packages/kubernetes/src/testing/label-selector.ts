type Labels = Readonly<Record<string, string>>;

/** `app=shop,tier!=db,env in (a,b),env notin (c),app,!old`: what `kubectl -l` takes. */
export function matchesLabels(selector: string, labels: Labels = {}): boolean {
  return splitTerms(selector).every((term) => matchesTerm(term, labels));
}

/** `metadata.name=x` and `metadata.namespace!=y`, as every type has them. */
export function matchesFields(selector: string, fields: Labels): boolean {
  return splitTerms(selector).every((term) => {
    const [, field = '', sign, value = ''] = /^([^!=]+)(==|!=|=)(.*)$/u.exec(term) ?? [];
    return (fields[field] === value) === (sign !== '!=');
  });
}

/** At commas that stand in no brackets. */
function splitTerms(selector: string): readonly string[] {
  return selector
    .split(/,(?![^(]*\))/u)
    .map((term) => term.trim())
    .filter((term) => term !== '');
}

function matchesTerm(term: string, labels: Labels): boolean {
  const [, key = '', word, list = ''] = /^(\S+)\s+(in|notin)\s*\(([^)]*)\)$/u.exec(term) ?? [];
  if (word !== undefined) {
    const values = list.split(',').map((value) => value.trim());
    return values.includes(valueOf(labels, key) ?? '\0') === (word === 'in');
  }
  const [, name = '', sign, value = ''] = /^([^!=]+)(==|!=|=)(.*)$/u.exec(term) ?? [];
  if (sign !== undefined) return (valueOf(labels, name.trim()) === value.trim()) === (sign !== '!=');
  return term.startsWith('!') ? valueOf(labels, term.slice(1)) === undefined : valueOf(labels, term) !== undefined;
}

function valueOf(labels: Labels, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}
