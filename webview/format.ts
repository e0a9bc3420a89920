/** Short text for a number: 4 significant digits, powers of ten outside [1e-3, 1e5). */
export function formatNumber(value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  if (value === 0) return '0';
  const magnitude = Math.abs(value);
  if (magnitude >= 1e5 || magnitude < 1e-3) {
    const [mantissa, exponent] = value.toExponential(2).split('e');
    return `${Number(mantissa)}e${Number(exponent)}`;
  }
  return String(Number(value.toPrecision(4)));
}

export const formatPercent = (share: number | null | undefined): string =>
  share === null || share === undefined || !Number.isFinite(share)
    ? '–'
    : `${(100 * share).toFixed(share < 0.1 ? 2 : 1)} %`;
