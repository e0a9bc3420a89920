import { cssGradient, divergingColors, sequentialColors } from '../charts/colors.js';
import { formatNumber } from '../format.js';
import type { RunData } from '../store.js';
import { t } from '../strings.js';
import { element } from '../ui/dom.js';
import { Card, type CardOptions, type Scene, type Table } from './card.js';

/** The kernel matrix on the probe inputs as a heat map, samples grouped by label. */
export class KernelCard extends Card {
  protected override readonly followsRows = false;
  private readonly canvas = element('canvas', {
    class: 'heat',
    tabindex: '0',
    role: 'img',
    'aria-label': t('Kernel matrix'),
  });
  private readonly scale = element('div', { class: 'scale' });
  private readonly hover = element('p', { class: 'hover', 'aria-live': 'polite' });
  private shown: {
    readonly data: ArrayLike<number>;
    readonly order: Uint32Array;
    readonly labels: readonly number[];
  } | null = null;
  private cell: { row: number; column: number } = { row: 0, column: 0 };

  constructor(options: Pick<CardOptions, 'outlet'>) {
    super({
      ...options,
      id: 'kernel',
      title: t('Kernel matrix'),
      explanation: t(
        'How strongly a training step on one probe input changes the output at another. Samples are grouped by label: bright blocks on the diagonal mean that learning one sample helps the others of its class. Move over the picture, or use the arrow keys, to read single values.',
      ),
    });
    this.stage.append(this.canvas);
    this.stage.after(this.scale, this.hover);
    this.canvas.addEventListener('pointermove', (event) => {
      const n = this.shown?.order.length ?? 0;
      this.cell = {
        row: Math.floor((event.offsetY / this.canvas.clientHeight) * n),
        column: Math.floor((event.offsetX / this.canvas.clientWidth) * n),
      };
      this.tell();
    });
    this.canvas.addEventListener('keydown', (event) => this.onKey(event));
  }

  protected override draw({ primary, step }: Scene): boolean {
    const now = primary?.snapshotAt('kernel', step);
    this.canvas.hidden = this.scale.hidden = !now;
    if (!primary || !now) return false;
    const n = now.shape[0];
    const order = sortedByLabel(primary, n);
    this.shown = { data: now.data, order, labels: primary.info.probe.labels };
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (const v of now.data) {
      if (v < low) low = v;
      if (v > high) high = v;
    }
    const signed = low < 0;
    const reach = Math.max(Math.abs(low), Math.abs(high)) || 1;
    const [from, to] = signed ? [-reach, reach] : [0, reach];
    const colors = signed ? divergingColors : sequentialColors;
    const image = new ImageData(n, n);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        const share = (now.data[order[i] * n + order[j]] - from) / (to - from);
        const c = 4 * Math.round(255 * Math.max(0, Math.min(1, share)));
        image.data.set(colors.subarray(c, c + 4), 4 * (i * n + j));
      }
    }
    this.canvas.width = n;
    this.canvas.height = n;
    this.canvas.getContext('2d')?.putImageData(image, 0, 0);
    const bar = element('span', { class: 'bar' });
    bar.style.background = cssGradient(colors);
    this.scale.replaceChildren(formatNumber(from), bar, formatNumber(to));
    return true;
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
    this.canvas.setAttribute('aria-label', text);
    return text;
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

  protected override pictures() {
    return { png: () => new Promise<Blob | null>((resolve) => this.canvas.toBlob(resolve, 'image/png')) };
  }

  override dispose(): void {
    this.canvas.remove();
  }

  private onKey(event: KeyboardEvent): void {
    const moves: Record<string, readonly [number, number]> = {
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
    this.tell();
  }

  private tell(): void {
    if (!this.shown) return;
    const { order, data, labels } = this.shown;
    const n = order.length;
    const [i, j] = [order[Math.min(n - 1, this.cell.row)], order[Math.min(n - 1, this.cell.column)]];
    const name = (k: number) =>
      labels.length > 0 ? t('sample {0} (label {1})', k, labels[k]) : t('sample {0}', k);
    this.hover.textContent = `${name(i)}, ${name(j)}: ${formatNumber(data[i * n + j])}`;
  }
}

function sortedByLabel(run: RunData, n: number): Uint32Array {
  const labels = run.info.probe.labels;
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  return labels.length === n ? order.sort((a, b) => labels[a] - labels[b] || a - b) : order;
}
