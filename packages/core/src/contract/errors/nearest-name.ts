import { closestMatch } from 'leven';

/** The known name that a typo most likely meant; undefined where none is near. Upper and lower case count as equal. */
export function nearestName(written: string, known: readonly string[]): string | undefined {
  if (written.length > 64) return undefined;
  const byLowerCase = new Map(known.map((name) => [name.toLowerCase(), name]));
  // Two letters swapped are a distance of two.
  const maxDistance = written.length < 4 ? 1 : Math.max(2, Math.floor(written.length / 3));
  const match = closestMatch(written.toLowerCase(), [...byLowerCase.keys()], { maxDistance });
  return match === undefined ? undefined : byLowerCase.get(match);
}

/** `; did you mean "table"?`, or the names there are. */
export function suggestion(written: string, known: readonly string[]): string {
  const nearest = nearestName(written, known);
  if (nearest !== undefined) return `did you mean "${nearest}"?`;
  return known.length === 0 ? 'none is known here' : `known: ${known.join(', ')}`;
}
