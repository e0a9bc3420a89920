/** Colours and fonts of the editor's current theme, as the charts need them. */
export interface Theme {
  readonly foreground: string;
  readonly muted: string;
  readonly grid: string;
  /** Of the editor, and of the cards that lie on it. */
  readonly background: string;
  readonly card: string;
  /** Distinct line colours, most important first. */
  readonly palette: readonly string[];
  readonly font: string;
  readonly highContrast: boolean;
  readonly dark: boolean;
}

/**
 * Editor variable, with the values used outside an editor (report, tests): light, then dark. Neighbours differ in
 * lightness as well as in hue, so that they stay apart for every kind of colour vision; lines differ in their dashes too.
 */
const paletteVariables: readonly (readonly [string, string, string])[] = [
  ['--vscode-charts-blue', '#0b66c3', '#4ea6ff'],
  ['--vscode-charts-orange', '#b85c00', '#e8924a'],
  ['--vscode-charts-green', '#2f7d32', '#7cc47f'],
  ['--vscode-charts-purple', '#6f42c1', '#b694f2'],
  ['--vscode-charts-red', '#c02d2d', '#f37b7b'],
  ['--vscode-charts-yellow', '#8a6d00', '#d9b93b'],
];

function isDark(body: HTMLElement): boolean {
  if (body.classList.contains('vscode-high-contrast-light') || body.classList.contains('vscode-light'))
    return false;
  if (body.classList.contains('vscode-dark') || body.classList.contains('vscode-high-contrast')) return true;
  return typeof matchMedia === 'function' && matchMedia('(prefers-color-scheme: dark)').matches;
}

/** Some themes take chart colours from half-transparent highlights; a thin line needs all of the colour. */
export function opaque(color: string): string {
  if (/^#[0-9a-f]{8}$/i.test(color)) return color.slice(0, 7);
  const parts = /^rgba\(([^,]+),([^,]+),([^,]+),[^)]+\)$/.exec(color);
  return parts ? `rgb(${parts[1]},${parts[2]},${parts[3]})` : color;
}

/** Red, green and blue, 0 to 255, of `#rgb`, `#rrggbb` or `rgb()`; null for other notations. */
export function channels(color: string): readonly [number, number, number] | null {
  const short = /^#([0-9a-f])([0-9a-f])([0-9a-f])$/i.exec(color);
  if (short)
    return [1, 2, 3].map((i) => Number.parseInt(short[i] + short[i], 16)) as [number, number, number];
  const long = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})/i.exec(color);
  if (long) return [1, 2, 3].map((i) => Number.parseInt(long[i], 16)) as [number, number, number];
  const parts = /^rgba?\(\s*([\d.]+)[,\s]+([\d.]+)[,\s]+([\d.]+)/.exec(color);
  return parts ? [Number(parts[1]), Number(parts[2]), Number(parts[3])] : null;
}

/** A colour with the given opacity. */
export function translucent(color: string, alpha: number): string {
  const rgb = channels(color);
  return rgb ? `rgba(${rgb[0]}, ${rgb[1]}, ${rgb[2]}, ${alpha})` : color;
}

export function readTheme(): Theme {
  const body = document.body;
  const style = getComputedStyle(body);
  const dark = isDark(body);
  const value = (name: string, fallback: string) => style.getPropertyValue(name).trim() || fallback;
  const highContrast =
    body.classList.contains('vscode-high-contrast') || body.classList.contains('vscode-high-contrast-light');
  const foreground = opaque(value('--vscode-foreground', dark ? '#d4d4d4' : '#333333'));
  const background = value('--vscode-editor-background', dark ? '#1e1e1e' : '#ffffff');
  return {
    foreground,
    muted: highContrast
      ? foreground
      : opaque(value('--vscode-descriptionForeground', dark ? '#9d9d9d' : '#616161')),
    grid: translucent(foreground, highContrast ? 0.35 : dark ? 0.11 : 0.13),
    background,
    card: highContrast ? background : value('--vscode-editorWidget-background', dark ? '#252526' : '#f7f7f7'),
    palette: paletteVariables.map(([name, light, night]) => opaque(value(name, dark ? night : light))),
    font: value('--vscode-font-family', 'system-ui, sans-serif'),
    highContrast,
    dark,
  };
}

/** Calls back whenever the editor switches its theme; returns what stops it. */
export function onThemeChange(listener: () => void): () => void {
  const observer = new MutationObserver(listener);
  observer.observe(document.body, { attributes: true, attributeFilter: ['class', 'data-vscode-theme-id'] });
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['style'] });
  const scheme = matchMedia('(prefers-color-scheme: dark)');
  scheme.addEventListener('change', listener);
  return () => {
    observer.disconnect();
    scheme.removeEventListener('change', listener);
  };
}

/** Whether things may move by themselves. */
export const calm = (): boolean => matchMedia('(prefers-reduced-motion: reduce)').matches;
