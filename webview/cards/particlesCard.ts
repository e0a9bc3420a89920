import { ramp } from '../charts/colors.js';
import { svgPicture, svgText } from '../charts/svg.js';
import { formatNumber } from '../format.js';
import type { RunData } from '../store.js';
import { t } from '../strings.js';
import { channels, readTheme, type Theme } from '../theme.js';
import { toggle } from '../toolkit.js';
import { element } from '../ui/dom.js';
import { Card, type CardPlace, type Scene, type Table } from './card.js';
import { type Cloud, cloudAt, type Reach, reachOf } from './cloud.js';

/** Colour classes of u; neurons of one class are painted in one go. */
const classes = 33;
const bins = 41;
/** With more neurons than this their ways from the start are not drawn. */
const mostWays = 2500;
const histogramWidth = 0.24;

interface Layout {
  readonly width: number;
  readonly height: number;
  /** Middle and half size of the square plot. */
  readonly cx: number;
  readonly cy: number;
  readonly half: number;
  /** Left end and width of the histogram of u. */
  readonly left: number;
  readonly bars: number;
}

/** Neurons as particles: theta on two fixed directions, coloured by u, with the histogram of u and the teacher. */
export class ParticlesCard extends Card {
  protected override readonly followsRows = false;
  private readonly canvas = element('canvas', {
    class: 'particles',
    role: 'img',
    tabindex: '0',
    'aria-label': t('Neurons as particles'),
  });
  private reach: { run: RunData | null; seen: number; theta: number; u: number } = {
    run: null,
    seen: 0,
    theta: 0,
    u: 0,
  };
  private buffer: Float32Array | null = null;
  private ways = true;
  private drawn: { cloud: Cloud; start: Cloud; teacher: readonly (readonly number[])[] } | null = null;

  constructor(place: CardPlace) {
    super({
      ...place,
      id: 'particles',
      title: t('Neurons as particles'),
      explanation: t(
        'Each dot is a neuron: its input weights on the two directions of largest spread, its colour the output weight u. In the mean-field regime training moves this cloud as a whole, like a fluid, to where features are useful; in the lazy regime it hardly moves. Dashed rays are the teacher’s neurons. The bars at the right show how many neurons have which u.',
      ),
      missing: t('neurons as particles: set measure.particles to true on a two-layer network'),
    });
    this.stage.classList.add('tall');
    this.stage.append(this.canvas);
    this.switches.append(
      toggle({
        label: t('paths'),
        title: t('Draw the way of each neuron from its start'),
        pressed: this.ways,
        onChange: (pressed) => {
          this.ways = pressed;
          place.onChange();
        },
      }),
    );
    this.canvas.addEventListener('keydown', (event) => {
      if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') {
        event.preventDefault();
        const detail = event.key === 'ArrowLeft' ? -1 : 1;
        this.canvas.dispatchEvent(new CustomEvent('walk', { detail, bubbles: true }));
      }
    });
  }

  override available(run: RunData): boolean {
    return run.has('particles');
  }

  protected override draw({ primary, step, theme }: Scene): boolean {
    const all = primary?.snapshots('particles') ?? [];
    const cloud = cloudAt(all, step, this.buffer);
    if (!primary || !cloud) return false;
    if (cloud.data instanceof Float32Array && cloud.data !== all[0].data)
      this.buffer ??= new Float32Array(cloud.data.length);
    this.measure(primary);
    const start = { data: all[0].data, count: all[0].shape[0] };
    this.drawn = { cloud, start, teacher: teacherOf(primary) };
    const [width, height] = [this.stage.clientWidth, this.stage.clientHeight];
    if (width === 0) return true;
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    if (
      this.canvas.width !== Math.round(width * ratio) ||
      this.canvas.height !== Math.round(height * ratio)
    ) {
      this.canvas.width = Math.round(width * ratio);
      this.canvas.height = Math.round(height * ratio);
    }
    const context = this.canvas.getContext('2d');
    if (!context) return true;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    paint(context, layoutOf(width, height), {
      ...this.drawn,
      reach: this.reach,
      theme,
      ways: this.ways && cloud.count <= mostWays,
    });
    return true;
  }

  protected override summarize({ primary, step }: Scene): string {
    const now = primary?.snapshotAt('particles', step);
    if (!primary || !now) return '';
    const text = t(
      '{0} neurons at step {1}; u from {2} to {3}.',
      now.shape[0],
      now.step,
      ...rangeOfU(now.data).map((v) => formatNumber(v, 3)),
    );
    this.canvas.setAttribute('aria-label', text);
    return text;
  }

  protected override describeUnits({ primary }: Scene): string {
    const dimension = primary ? inputDimension(primary) : null;
    return dimension === 2
      ? t('θ in the plane of the inputs, colour: u')
      : t('θ on its two directions of largest spread, colour: u');
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

  protected override picture(title: string, subtitle: string): string {
    const theme = readTheme();
    const [width, height] = [560, 400];
    if (!this.drawn) return svgPicture({ title, subtitle, theme, width, height }, '');
    const { cx, cy, half } = layoutOf(width, height);
    const { cloud } = this.drawn;
    const table = colorsOf(theme);
    const scale = half / (this.reach.theta || 1);
    const dots = Array.from({ length: cloud.count }, (_, j) => {
      const [x, y] = [cx + scale * cloud.data[3 * j], cy - scale * cloud.data[3 * j + 1]];
      const color = table[classOf(cloud.data[3 * j + 2], this.reach.u)];
      return `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="2" fill="${color}"/>`;
    });
    const text = `|θ| ≤ ${formatNumber(this.reach.theta, 3)}, |u| ≤ ${formatNumber(this.reach.u, 3)}`;
    return svgPicture(
      { title, subtitle, theme, width, height },
      [...dots, svgText(12, height - 6, 'start', text, theme.muted)].join('\n'),
    );
  }

  override dispose(): void {
    this.canvas.remove();
  }

  /** Ends of the axes over the whole run, so that the view stands still while the neurons move. */
  private measure(run: RunData): void {
    const all = run.snapshots('particles');
    if (this.reach.run !== run || this.reach.seen > all.length) this.reach = { run, seen: 0, theta: 0, u: 0 };
    for (; this.reach.seen < all.length; this.reach.seen++) {
      const { theta, u } = reachOf(all[this.reach.seen]);
      this.reach.theta = Math.max(this.reach.theta, 1.08 * theta);
      this.reach.u = Math.max(this.reach.u, 1.02 * u);
    }
  }
}

function layoutOf(width: number, height: number): Layout {
  const bars = Math.min(120, histogramWidth * width);
  const half = Math.max(10, Math.min((width - bars - 34) / 2, height / 2 - 10));
  return {
    width,
    height,
    cx: (width - bars - 20) / 2,
    cy: height / 2 - 8,
    half,
    left: width - bars - 4,
    bars,
  };
}

/** Teacher's directions in the plane, as far as the data is a network of two inputs. */
function teacherOf(run: RunData): readonly (readonly number[])[] {
  const data = run.info.definition['data'] as { neurons?: { theta?: unknown } } | undefined;
  const theta = data?.neurons?.theta;
  if (!Array.isArray(theta) || inputDimension(run) !== 2) return [];
  return theta.filter((row): row is number[] => Array.isArray(row) && row.length === 2);
}

function inputDimension(run: RunData): number | null {
  const data = run.info.definition['data'] as { dimension?: unknown } | undefined;
  return typeof data?.dimension === 'number' ? data.dimension : null;
}

function rangeOfU(data: ArrayLike<number>): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let j = 2; j < data.length; j += 3) {
    if (data[j] < low) low = data[j];
    if (data[j] > high) high = data[j];
  }
  return [low, high];
}

const classOf = (u: number, most: number): number =>
  // Full colour at half of the axis: single large neurons must not grey out the others.
  Math.max(0, Math.min(classes - 1, Math.round((((2 * u) / (most || 1) + 1) / 2) * (classes - 1))));

/** Between the colours of negative and positive u; seen on light and on dark. */
const neutral = '#969696';

let ramped: { key: string; colors: readonly string[] } = { key: '', colors: [] };

/** One colour a class: blue for negative u, orange for positive, the theme's grey between. */
function colorsOf(theme: Theme): readonly string[] {
  const key = [theme.palette[0], neutral, theme.palette[1]].join();
  if (key === ramped.key) return ramped.colors;
  const [low, middle, high] = [theme.palette[0], neutral, theme.palette[1]].map(
    (c) => channels(c) ?? ([128, 128, 128] as const),
  );
  const table = ramp(low, middle, high);
  const colors = Array.from({ length: classes }, (_, k) => {
    const c = 4 * Math.round((255 * k) / (classes - 1));
    return `rgb(${table[c]} ${table[c + 1]} ${table[c + 2]})`;
  });
  ramped = { key, colors };
  return colors;
}

interface Painted {
  readonly cloud: Cloud;
  readonly start: Cloud;
  readonly teacher: readonly (readonly number[])[];
  readonly reach: Reach;
  readonly theme: Theme;
  readonly ways: boolean;
}

function paint(context: CanvasRenderingContext2D, layout: Layout, what: Painted): void {
  paintAxes(context, layout, what);
  context.save();
  context.beginPath();
  context.rect(layout.cx - layout.half, layout.cy - layout.half, 2 * layout.half, 2 * layout.half);
  context.clip();
  if (what.ways) paintWays(context, layout, what);
  paintTeacher(context, layout, what);
  const counts = paintDots(context, layout, what);
  context.restore();
  paintHistogram(context, layout, what, counts);
}

function paintAxes(
  context: CanvasRenderingContext2D,
  { cx, cy, half }: Layout,
  { theme, reach }: Painted,
): void {
  context.strokeStyle = theme.grid;
  context.lineWidth = 1;
  context.strokeRect(cx - half, cy - half, 2 * half, 2 * half);
  context.beginPath();
  context.moveTo(cx - half, cy);
  context.lineTo(cx + half, cy);
  context.moveTo(cx, cy - half);
  context.lineTo(cx, cy + half);
  context.stroke();
  context.fillStyle = theme.muted;
  context.font = `11px ${theme.font}`;
  context.textAlign = 'right';
  context.textBaseline = 'bottom';
  context.textBaseline = 'top';
  context.fillText(`θ₁ → ${formatNumber(reach.theta, 2)}`, cx + half, cy + half + 2);
  context.textAlign = 'left';
  context.fillText('↑ θ₂', cx - half, cy + half + 2);
}

function paintWays(
  context: CanvasRenderingContext2D,
  { cx, cy, half }: Layout,
  { cloud, start, reach, theme }: Painted,
): void {
  if (start.data === cloud.data) return;
  const scale = half / (reach.theta || 1);
  context.beginPath();
  for (let j = 0; j < cloud.count; j++) {
    context.moveTo(cx + scale * start.data[3 * j], cy - scale * start.data[3 * j + 1]);
    context.lineTo(cx + scale * cloud.data[3 * j], cy - scale * cloud.data[3 * j + 1]);
  }
  context.strokeStyle = theme.muted;
  context.globalAlpha = cloud.count > 600 ? 0.15 : 0.28;
  context.stroke();
  context.globalAlpha = 1;
}

function paintTeacher(
  context: CanvasRenderingContext2D,
  { cx, cy, half }: Layout,
  { teacher, theme }: Painted,
): void {
  context.strokeStyle = theme.palette[2];
  context.lineWidth = 1.5;
  context.setLineDash([5, 4]);
  context.beginPath();
  for (const [a, b] of teacher) {
    const length = Math.hypot(a, b) || 1;
    context.moveTo(cx, cy);
    context.lineTo(cx + (1.5 * half * a) / length, cy - (1.5 * half * b) / length);
  }
  context.stroke();
  context.setLineDash([]);
}

/** Paints the neurons class by class; returns the counts of the histogram of u. */
function paintDots(
  context: CanvasRenderingContext2D,
  { cx, cy, half }: Layout,
  { cloud, reach, theme }: Painted,
): Float64Array {
  const scale = half / (reach.theta || 1);
  const { data, count } = cloud;
  const counts = new Float64Array(bins);
  const members = new Uint8Array(count);
  for (let j = 0; j < count; j++) {
    const u = data[3 * j + 2];
    members[j] = classOf(u, reach.u);
    const bin = Math.floor(((u / (reach.u || 1) + 1) / 2) * bins);
    counts[Math.max(0, Math.min(bins - 1, bin))]++;
  }
  const radius = count > 4000 ? 1.1 : count > 1200 ? 1.6 : 2.4;
  const round = count <= 3000;
  for (const [k, color] of colorsOf(theme).entries()) {
    context.fillStyle = color;
    context.beginPath();
    for (let j = 0; j < count; j++) {
      if (members[j] !== k) continue;
      const [x, y] = [cx + scale * data[3 * j], cy - scale * data[3 * j + 1]];
      if (round) {
        context.moveTo(x + radius, y);
        context.arc(x, y, radius, 0, 2 * Math.PI);
      } else context.rect(x - radius, y - radius, 2 * radius, 2 * radius);
    }
    context.fill();
  }
  return counts;
}

/** Bars to the right, one per value of u; they are the key of the colours too. */
function paintHistogram(
  context: CanvasRenderingContext2D,
  { cy, half, left, bars }: Layout,
  { reach, theme }: Painted,
  counts: Float64Array,
): void {
  const most = Math.max(...counts) || 1;
  const thick = (2 * half) / bins;
  const colors = colorsOf(theme);
  for (let b = 0; b < bins; b++) {
    if (counts[b] === 0) continue;
    context.fillStyle = colors[classOf(reach.u * ((2 * b + 1) / bins - 1), reach.u)];
    const length = Math.max(1, ((bars - 30) * counts[b]) / most);
    context.fillRect(left + 30, cy + half - (b + 1) * thick + 0.5, length, Math.max(1, thick - 1));
  }
  context.fillStyle = context.strokeStyle = theme.muted;
  context.font = `11px ${theme.font}`;
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  const label = (value: number, y: number) => context.fillText(formatNumber(value, 2), left + 26, y);
  label(reach.u, cy - half + 6);
  label(0, cy);
  label(-reach.u, cy + half - 6);
  context.fillText('u', left + 26, cy - half / 2);
}
