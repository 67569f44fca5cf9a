/** A number at an axis: steps whole, losses short. */
export function axisNumber(value: number | null, isLoss: boolean): string {
  if (value === null || (!isLoss && !Number.isInteger(value))) return '';
  const digits = isLoss ? { maximumSignificantDigits: 3 } : { maximumFractionDigits: 0 };
  return new Intl.NumberFormat('en', digits).format(value);
}
