import { cssGradient, diverging } from '../charts/colors.js';
import { type ColorScale, colorScale, paintHeat } from '../charts/heat.js';
import { svgPicture, svgText } from '../charts/svg.js';
import { formatNumber } from '../format.js';
import type { RunData } from '../store.js';
import { t } from '../strings.js';
import { readTheme, type Theme } from '../theme.js';
import { toggle } from '../toolkit.js';
import { element } from '../ui/dom.js';
import { Card, type CardPlace, type Scene, setText, type Table } from './card.js';
import { paintSample, pictureShape, sampleName, sortedByLabel } from './samples.js';

interface Shown {
  readonly run: RunData;
  readonly data: ArrayLike<number>;
  readonly order: Uint32Array;
  readonly step: number;
}

/** The kernel matrix on the probe inputs as a heat map, its top eigenvectors below, and the samples under the pointer. */
export class KernelCard extends Card {
  protected override readonly followsRows = false;
  private readonly heat = element('canvas', {
    class: 'heat',
    tabindex: '0',
    role: 'img',
    'aria-label': t('Kernel matrix'),
  });
  private readonly classes = element('canvas', { class: 'classes', 'aria-hidden': 'true' });
  private readonly modes = element('canvas', {
    class: 'modes',
    role: 'img',
    'aria-label': t('Kernel matrix'),
  });
  private readonly scale = element('div', { class: 'scale' });
  private readonly pair = [0, 1].map(() => {
    const picture = element('canvas', { class: 'sample', 'aria-hidden': 'true' });
    const name = element('figcaption', {});
    return { root: element('figure', {}, picture, name), picture, name };
  });
  private readonly value = element('p', { class: 'pairValue' });
  private readonly crosshair = [
    element('div', { class: 'cross row' }),
    element('div', { class: 'cross column' }),
  ];
  private shown: Shown | null = null;
  private colors: ColorScale | null = null;
  private cell = { row: 0, column: 0 };
  private cosine = false;

  constructor(place: CardPlace) {
    super({
      ...place,
      id: 'kernel',
      title: t('Kernel matrix'),
      explanation: t(
        'How strongly a training step on one probe input changes the output at another. Samples are grouped by label: bright blocks on the diagonal mean that learning one sample helps the others of its class. The stripes below are the top eigenvectors, blue negative and red positive: the patterns that are learnt first. Move over the picture, or use the arrow keys, to read single values.',
      ),
      missing: t('the kernel matrix: set measure.kernels above 0'),
    });
    this.stage.classList.add('kernelStage');
    this.stage.append(
      element(
        'div',
        { class: 'matrix' },
        element('div', { class: 'square' }, this.heat, ...this.crosshair),
        this.classes,
        this.modes,
      ),
      element(
        'div',
        { class: 'aside' },
        this.scale,
        element('div', { class: 'pair' }, ...this.pair.map((p) => p.root)),
        this.value,
      ),
    );
    this.switches.append(
      toggle({
        label: t('cosine'),
        title: t('Divide by the diagonal: the angle between the tangent features of two samples'),
        pressed: false,
        onChange: (pressed) => {
          this.cosine = pressed;
          place.onChange();
        },
      }),
    );
    this.heat.addEventListener('pointermove', (event) => {
      const n = this.shown?.order.length ?? 1;
      const part = (at: number, size: number) => Math.max(0, Math.min(n - 1, Math.floor((at / size) * n)));
      this.cell = {
        row: part(event.offsetY, this.heat.clientHeight),
        column: part(event.offsetX, this.heat.clientWidth),
      };
      this.tell(false);
    });
    this.heat.addEventListener('keydown', (event) => this.onKey(event));
  }

  override available(run: RunData): boolean {
    return run.has('kernel');
  }

  protected override draw({ primary, step, theme }: Scene): boolean {
    const now = primary?.snapshotAt('kernel', step);
    if (!primary || !now) return false;
    const n = now.shape[0];
    const order = sortedByLabel(primary, n);
    const data = this.cosine ? cosines(now.data, n) : now.data;
    const first = this.shown?.run !== primary;
    this.shown = { run: primary, data, order, step: now.step };
    this.colors = colorScale(data);
    paintHeat(this.heat, n, n, (i, j) => data[order[i] * n + order[j]], this.colors);
    this.drawClasses(primary, order, theme);
    this.drawModes(primary, now.step, order);
    const { low, high, colors } = this.colors;
    const bar = element('span', { class: 'bar' });
    bar.style.background = cssGradient(colors);
    this.scale.replaceChildren(formatNumber(low, 3), bar, formatNumber(high, 3));
    if (first) this.cell = startCell(primary, order);
    this.tell(false);
    return true;
  }

  private drawClasses(run: RunData, order: Uint32Array, theme: Theme): void {
    const { labels } = run.info.probe;
    this.classes.hidden = labels.length !== order.length;
    if (this.classes.hidden) return;
    this.classes.width = order.length;
    this.classes.height = 1;
    const context = this.classes.getContext('2d');
    if (!context) return;
    for (const [i, k] of order.entries()) {
      context.fillStyle = theme.palette[labels[k] % theme.palette.length];
      context.fillRect(i, 0, 1, 1);
    }
  }

  private drawModes(run: RunData, step: number, order: Uint32Array): void {
    const vectors = run.snapshotAt('eigenvectors', step);
    this.modes.hidden = !vectors;
    if (!vectors) return;
    const [k, n] = vectors.shape;
    const { data } = vectors;
    // Each stripe on its own scale: an eigenvector has no size.
    const reach = new Float64Array(k).fill(1e-12);
    for (let i = 0; i < k * n; i++)
      reach[Math.floor(i / n)] = Math.max(reach[Math.floor(i / n)], Math.abs(data[i]));
    paintHeat(this.modes, k, n, (m, j) => data[m * n + order[j]] / reach[m], {
      low: -1,
      high: 1,
      colors: diverging,
    });
    this.modes.setAttribute('aria-label', t('The {0} top eigenvectors as stripes', k));
    this.modes.title = t('The {0} top eigenvectors as stripes', k);
  }

  protected override summarize({ primary, step }: Scene): string {
    const now = primary?.snapshotAt('kernel', step);
    if (!now) return '';
    const n = now.shape[0];
    let trace = 0;
    for (let i = 0; i < n; i++) trace += now.data[i * n + i];
    const text = t(
      'Kernel on {0} probe inputs at step {1}; mean of the diagonal {2}.',
      n,
      now.step,
      formatNumber(trace / n),
    );
    this.heat.setAttribute('aria-label', text);
    return text;
  }

  protected override describeUnits({ primary, step }: Scene): string {
    const now = primary?.snapshotAt('kernel', step);
    return now ? t('Θ(xᵢ, xⱼ) at step {0}, samples grouped by label', now.step) : '';
  }

  override table({ primary, step }: Scene): Table {
    const now = primary?.snapshotAt('kernel', step);
    if (!now) return { columns: ['i'], rows: [] };
    const n = now.shape[0];
    return {
      columns: ['i', ...Array.from({ length: n }, (_, j) => String(j))],
      rows: Array.from({ length: n }, (_, i) => [i, ...Array.from(now.data.subarray(i * n, (i + 1) * n))]),
    };
  }

  protected override picture(title: string, subtitle: string): string {
    const theme = readTheme();
    const image = (canvas: HTMLCanvasElement, y: number, height: number) =>
      canvas.hidden
        ? ''
        : `<image x="12" y="${y}" width="360" height="${height}" preserveAspectRatio="none" style="image-rendering: pixelated" href="${canvas.toDataURL()}"/>`;
    const range = this.colors
      ? `${formatNumber(this.colors.low, 3)} … ${formatNumber(this.colors.high, 3)}`
      : '';
    return svgPicture(
      { title, subtitle, theme, width: 384, height: 450 },
      [
        image(this.heat, 0, 360),
        image(this.classes, 364, 6),
        image(this.modes, 374, 50),
        svgText(12, 442, 'start', range, theme.muted),
      ].join('\n'),
    );
  }

  override dispose(): void {
    this.heat.remove();
  }

  private onKey(event: KeyboardEvent): void {
    const moves: Readonly<Record<string, readonly [number, number]>> = {
      ArrowUp: [-1, 0],
      ArrowDown: [1, 0],
      ArrowLeft: [0, -1],
      ArrowRight: [0, 1],
    };
    const move = moves[event.key];
    if (!move || !this.shown) return;
    event.preventDefault();
    const n = this.shown.order.length;
    const clamp = (v: number) => Math.max(0, Math.min(n - 1, v));
    this.cell = { row: clamp(this.cell.row + move[0]), column: clamp(this.cell.column + move[1]) };
    this.tell(true);
  }

  /** Shows both samples of the cell and the kernel between them; reads it aloud when the keyboard asked. */
  private tell(aloud: boolean): void {
    if (!this.shown) return;
    const { run, order, data } = this.shown;
    const n = order.length;
    const [row, column] = [Math.min(n - 1, this.cell.row), Math.min(n - 1, this.cell.column)];
    const [i, j] = [order[row], order[column]];
    const inputs = run.firstSnapshot('probeInputs');
    const shape = pictureShape(run);
    const names = [i, j].map((k) => sampleName(run, k));
    for (const [at, k] of [i, j].entries()) {
      const { picture, name } = this.pair[at];
      picture.hidden = !inputs || !shape;
      if (inputs && shape) paintSample(picture, inputs, k, shape);
      setText(name, names[at]);
    }
    const value = formatNumber(data[i * n + j]);
    setText(this.value, `Θ = ${value}`);
    this.crosshair[0].style.top = `${(100 * (row + 0.5)) / n}%`;
    this.crosshair[1].style.left = `${(100 * (column + 0.5)) / n}%`;
    if (aloud) this.say(`${names[0]}, ${names[1]}: ${value}`);
  }
}

/** K_ij / sqrt(K_ii K_jj), row-major [n, n]. */
function cosines(kernel: ArrayLike<number>, n: number): Float64Array {
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      const scale = Math.sqrt(kernel[i * n + i] * kernel[j * n + j]);
      out[i * n + j] = scale > 0 ? kernel[i * n + j] / scale : 0;
    }
  return out;
}

/** The first sample against the first of another class. */
function startCell(run: RunData, order: Uint32Array): { row: number; column: number } {
  const { labels } = run.info.probe;
  const other = order.findIndex((k) => labels[k] !== labels[order[0]]);
  return { row: 0, column: Math.max(0, other) };
}
