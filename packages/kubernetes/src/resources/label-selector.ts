import type { TargetSpec } from './parse-resources.ts';

/** A label selector as the API server takes it as a text; undefined where any object will do. */
export function formatLabelSelector(selector: TargetSpec['labelSelector']): string | undefined {
  const { matchLabels = {}, matchExpressions = [] } = selector ?? {};
  const terms = [
    ...Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`),
    ...matchExpressions.map(({ key, operator, values }) => {
      if (operator === 'Exists') return key;
      if (operator === 'DoesNotExist') return `!${key}`;
      return `${key} ${operator === 'In' ? 'in' : 'notin'} (${values.join(',')})`;
    }),
  ];
  return terms.length === 0 ? undefined : terms.join(',');
}
