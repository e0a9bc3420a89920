import { type Series, strokeDash } from '../charts/series.js';
import type { Theme } from '../theme.js';
import { element } from './dom.js';

function swatch(series: Series, theme: Theme): SVGSVGElement {
  const color = theme.palette[series.color % theme.palette.length];
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 22 10');
  svg.setAttribute('class', 'swatch');
  const dash = strokeDash[series.stroke ?? 'solid'].join(' ');
  svg.innerHTML = series.dots
    ? `<circle cx="11" cy="5" r="3.2" fill="${color}"/>`
    : series.fill
      ? `<rect x="2" y="1" width="18" height="8" fill="${color}" fill-opacity=".35" stroke="${color}"/>`
      : `<path d="M1 5h20" stroke="${color}" stroke-width="2.2" stroke-opacity="${series.faint ? 0.65 : 1}" stroke-dasharray="${dash}"/>`;
  return svg;
}

/** Names of the lines with their colours, line styles and values. */
export class Legend {
  readonly root = element('ul', { class: 'legend', 'aria-hidden': 'true' });
  private key = '';
  private values: readonly HTMLElement[] = [];

  show(series: readonly Series[], theme: Theme): void {
    const key = JSON.stringify([
      series.map((s) => [s.label, s.color, s.stroke, s.dots, s.faint, s.fill, s.value !== undefined]),
      theme.palette,
    ]);
    if (key !== this.key) {
      this.key = key;
      this.values = series.map(() => element('span', { class: 'value' }));
      this.root.replaceChildren(
        ...series.map((s, i) => element('li', {}, swatch(s, theme), s.label, this.values[i])),
      );
    }
    for (const [i, s] of series.entries()) {
      const text = s.value ?? '';
      if (this.values[i].textContent !== text) this.values[i].textContent = text;
    }
  }
}
