import { divergingColors } from '../charts/colors.js';
import { formatNumber } from '../format.js';
import { t } from '../strings.js';
import { element } from '../ui/dom.js';
import { Card, type CardOptions, type Scene, type Table } from './card.js';

/** Neurons as particles: theta on two fixed directions, coloured by u; and the histogram of u. */
export class ParticlesCard extends Card {
  protected override readonly followsRows = false;
  private readonly canvas = element('canvas', {
    class: 'particles',
    role: 'img',
    tabindex: '0',
    'aria-label': t('Neurons as particles'),
  });
  /** Limits over the whole run, so that the view stands still while the neurons move. */
  private limits: { run: string; reach: number; u: number } = { run: '', reach: 0, u: 0 };

  constructor(options: Pick<CardOptions, 'outlet'>) {
    super({
      ...options,
      id: 'particles',
      title: t('Neurons as particles'),
      explanation: t(
        'Each dot is a neuron: its input weights on the two directions of largest spread, its colour the output weight u. In the mean-field regime training moves this cloud as a whole, like a fluid, to where features are useful; in the lazy regime it hardly moves. The bars below show how many neurons have which u.',
      ),
    });
    this.stage.append(this.canvas);
  }

  protected override draw({ primary, step, theme }: Scene): boolean {
    const now = primary?.snapshotAt('particles', step);
    this.canvas.hidden = !now;
    if (!primary || !now) return false;
    this.measure(
      primary.info.run,
      primary.snapshots('particles').map((s) => s.data),
    );
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    const [width, height] = [this.stage.clientWidth, this.stage.clientHeight];
    if (width === 0) return true;
    this.canvas.width = width * ratio;
    this.canvas.height = height * ratio;
    const context = this.canvas.getContext('2d');
    if (!context) return true;
    context.scale(ratio, ratio);
    context.clearRect(0, 0, width, height);
    const bars = 46;
    const plot = height - bars - 8;
    const { reach, u: uMax } = this.limits;
    const scale = (Math.min(width, plot) / 2 - 6) / (reach || 1);
    context.strokeStyle = theme.grid;
    context.beginPath();
    context.moveTo(0, plot / 2);
    context.lineTo(width, plot / 2);
    context.moveTo(width / 2, 0);
    context.lineTo(width / 2, plot);
    context.stroke();
    const { data } = now;
    const count = now.shape[0];
    const size = count > 4000 ? 2 : 3;
    const bins = new Float64Array(41);
    for (let j = 0; j < count; j++) {
      const u = data[3 * j + 2];
      const share = uMax > 0 ? (u / uMax + 1) / 2 : 0.5;
      bins[Math.min(40, Math.max(0, Math.floor(share * 41)))]++;
      context.fillStyle = colorOf(share);
      context.fillRect(
        width / 2 + scale * data[3 * j] - size / 2,
        plot / 2 - scale * data[3 * j + 1] - size / 2,
        size,
        size,
      );
    }
    const highest = Math.max(...bins);
    const bar = width / bins.length;
    for (let b = 0; b < bins.length; b++) {
      context.fillStyle = colorOf((b + 0.5) / bins.length);
      const h = (bins[b] / (highest || 1)) * bars;
      context.fillRect(b * bar + 0.5, height - h, bar - 1, h);
    }
    return true;
  }

  protected override summarize({ primary, step }: Scene): string {
    const now = primary?.snapshotAt('particles', step);
    if (!primary || !now) return '';
    const text = t(
      '{0} neurons at step {1}; u from {2} to {3} over the run.',
      now.shape[0],
      now.step,
      formatNumber(-this.limits.u),
      formatNumber(this.limits.u),
    );
    this.canvas.setAttribute('aria-label', text);
    return text;
  }

  override table({ primary, step }: Scene): Table {
    const now = primary?.snapshotAt('particles', step);
    if (!now) return { columns: ['neuron'], rows: [] };
    return {
      columns: ['neuron', 'theta 1', 'theta 2', 'u'],
      rows: Array.from({ length: now.shape[0] }, (_, j) => [
        j,
        ...Array.from(now.data.subarray(3 * j, 3 * j + 3)),
      ]),
    };
  }

  protected override pictures() {
    return { png: () => new Promise<Blob | null>((resolve) => this.canvas.toBlob(resolve, 'image/png')) };
  }

  override dispose(): void {
    this.canvas.remove();
  }

  private measure(run: string, clouds: readonly ArrayLike<number>[]): void {
    if (this.limits.run !== run) this.limits = { run, reach: 0, u: 0 };
    const data = clouds[clouds.length - 1];
    for (let j = 0; j + 2 < data.length; j += 3) {
      this.limits.reach = Math.max(this.limits.reach, Math.abs(data[j]), Math.abs(data[j + 1]));
      this.limits.u = Math.max(this.limits.u, Math.abs(data[j + 2]));
    }
  }
}

function colorOf(share: number): string {
  const c = 4 * Math.round(255 * Math.max(0, Math.min(1, share)));
  return `rgb(${divergingColors[c]} ${divergingColors[c + 1]} ${divergingColors[c + 2]})`;
}
