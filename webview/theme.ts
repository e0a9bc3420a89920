/** Colours and fonts of the editor's current theme, as the charts need them. */
export interface Theme {
  readonly foreground: string;
  readonly muted: string;
  readonly grid: string;
  readonly background: string;
  /** Distinct line colours, most important first. */
  readonly palette: readonly string[];
  readonly font: string;
  readonly highContrast: boolean;
  readonly dark: boolean;
}

/** Editor variable, with the values used outside an editor (report, tests): light, then dark. */
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

export function readTheme(): Theme {
  const body = document.body;
  const style = getComputedStyle(body);
  const dark = isDark(body);
  const value = (name: string, fallback: string) => style.getPropertyValue(name).trim() || fallback;
  const highContrast =
    body.classList.contains('vscode-high-contrast') || body.classList.contains('vscode-high-contrast-light');
  const foreground = value('--vscode-foreground', dark ? '#d4d4d4' : '#333333');
  return {
    foreground,
    muted: highContrast ? foreground : value('--vscode-descriptionForeground', dark ? '#9d9d9d' : '#616161'),
    grid: highContrast
      ? value('--vscode-contrastBorder', foreground)
      : value('--vscode-editorWidget-border', dark ? '#3a3a3a' : '#dcdcdc'),
    background: value('--vscode-editor-background', dark ? '#1e1e1e' : '#ffffff'),
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
  return () => observer.disconnect();
}
