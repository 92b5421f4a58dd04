const thousands = new Intl.NumberFormat('en', { useGrouping: true, maximumFractionDigits: 0 });

/** Three significant digits below a hundred, none after the point above. */
export function amount(value: number): string {
  if (value >= 100) return thousands.format(value);
  if (value < 0.001) return '0';
  return String(Number(value.toPrecision(value < 1 ? 2 : 3)));
}
