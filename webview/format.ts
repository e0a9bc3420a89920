const superscripts: Readonly<Record<string, string>> = {
  '-': '⁻',
  '0': '⁰',
  '1': '¹',
  '2': '²',
  '3': '³',
  '4': '⁴',
  '5': '⁵',
  '6': '⁶',
  '7': '⁷',
  '8': '⁸',
  '9': '⁹',
};

/** 10 to an integer power, the exponent raised: 10⁻³. */
export const powerOfTen = (exponent: number): string =>
  `10${Array.from(String(exponent), (c) => superscripts[c] ?? c).join('')}`;

const minus = (text: string): string => text.replace('-', '−');

/** Short text for a number: 4 significant digits (or `digits`), a raised power of ten outside [1e-3, 1e5). */
export function formatNumber(value: number | null | undefined, digits = 4): string {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  if (value === 0) return '0';
  const magnitude = Math.abs(value);
  if (magnitude >= 1e5 || magnitude < 1e-3) {
    const [mantissa, exponent] = value.toExponential(Math.min(2, digits - 1)).split('e');
    const factor = Number(mantissa);
    const power = powerOfTen(Number(exponent));
    if (factor === 1) return power;
    return minus(factor === -1 ? `-${power}` : `${factor}\u2009×\u2009${power}`);
  }
  return minus(String(Number(value.toPrecision(digits))));
}

/** A whole number with its digits in groups. */
export const formatCount = (value: number | null | undefined): string =>
  value === null || value === undefined || !Number.isFinite(value) ? '–' : Math.round(value).toLocaleString();

/** A share in percent; from ten times the whole on as a factor. */
export const formatPercent = (share: number | null | undefined): string =>
  share === null || share === undefined || !Number.isFinite(share)
    ? '–'
    : Math.abs(share) >= 10
      ? `×\u2009${formatNumber(share, 3)}`
      : `${minus((100 * share).toFixed(Math.abs(share) < 0.1 ? 2 : 1))}\u2009%`;
