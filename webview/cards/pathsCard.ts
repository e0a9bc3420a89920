import { LineChart } from '../charts/lineChart.js';
import { drawPlane, type PlanePath, type Terrain } from '../charts/planeView.js';
import { principalPlane } from '../charts/project.js';
import type { Series } from '../charts/series.js';
import { svgPicture } from '../charts/svg.js';
import { formatPercent } from '../format.js';
import type { RunData } from '../store.js';
import { t } from '../strings.js';
import { readTheme } from '../theme.js';
import { dropdown } from '../toolkit.js';
import { element } from '../ui/dom.js';
import { Card, type CardPlace, type Scene, type Table } from './card.js';

type PathsView = 'outputs' | 'plane' | 'line';

interface Drawn {
  readonly paths: readonly PlanePath[];
  readonly terrain: Terrain | null;
  readonly shares: readonly [number, number] | null;
}

/** The way of a run: through the space of functions, through the loss landscape, and the loss along a straight line. */
export class PathsCard extends Card {
  protected override readonly followsRows = false;
  private readonly canvas = element('canvas', {
    class: 'plane',
    role: 'img',
    tabindex: '0',
    'aria-label': t('Path of the run'),
  });
  private readonly line: LineChart;
  private readonly lineHost = element('div', { class: 'plot' });
  private view: PathsView | null = null;
  private drawn: Drawn | null = null;
  /** Projections of the runs that are shown, valid for their newest array. */
  private projected: { key: string; drawn: Drawn } = {
    key: '',
    drawn: { paths: [], terrain: null, shares: null },
  };

  constructor(place: CardPlace) {
    super({
      ...place,
      id: 'paths',
      title: t('Path of the run'),
      explanation: t(
        'Through functions: the network’s outputs on the probe inputs, on the two directions in which they vary most; lazy training goes there as its linearisation would. Through weights: the loss on the plane that holds most of the way of the weights, with contour lines at equal ratios. Straight line: the loss on the way from the first to the last weights; a parabola says that the network acts linearly there.',
      ),
      missing: t('the loss around the path: set measure.landscape to true'),
    });
    this.stage.classList.add('tall');
    this.stage.append(this.canvas, this.lineHost);
    this.line = new LineChart(this.lineHost, {
      xLabel: t('s on the line w₀ + s (w_T − w₀)'),
      yLabel: t('training loss'),
      logY: true,
    });
    this.switches.append(
      dropdown({
        label: t('Which path to draw'),
        selected: 'outputs',
        values: [
          { value: 'outputs', text: t('functions') },
          { value: 'plane', text: t('weights') },
          { value: 'line', text: t('straight line') },
        ],
        onChange: (value) => {
          this.view = value as PathsView;
          place.onChange();
        },
      }),
    );
  }

  override available(run: RunData): boolean {
    return run.snapshots('probeOutputs').length > 2 || run.has('landscape');
  }

  protected override draw(scene: Scene): boolean {
    const { primary, theme, step } = scene;
    if (!primary) return false;
    const view = this.view ?? 'outputs';
    this.canvas.hidden = view === 'line';
    this.lineHost.hidden = view !== 'line';
    if (view === 'line') return this.drawLine(scene);
    const drawn = view === 'plane' ? weights(primary) : this.functions(scene.runs);
    this.drawn = drawn;
    if (!drawn) return false;
    const [width, height] = [this.stage.clientWidth, this.stage.clientHeight];
    if (width === 0) return true;
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    const context = this.canvas.getContext('2d');
    context?.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (context) drawPlane(context, width, height, { ...drawn, step, theme, labels: axisNames(drawn) });
    this.setLegend(
      scene.runs.length > 1 && view === 'outputs'
        ? scene.runs.map((run, color) => ({ label: run.label, color, x: [], y: [] }))
        : [],
      theme,
    );
    return true;
  }

  private drawLine({ primary, theme }: Scene): boolean {
    const found = primary?.snapshotAt('lossLine', null);
    if (!found) return false;
    const at = (column: number) =>
      Float64Array.from({ length: found.shape[0] }, (_, i) => found.data[2 * i + column]);
    const series: Series[] = [{ label: t('training loss'), color: 0, x: at(0), y: at(1) }];
    this.line.applyTheme(theme);
    this.line.setSeries(series);
    this.line.draw();
    this.setLegend(series, theme);
    return true;
  }

  /** Outputs of every run on common directions. */
  private functions(runs: readonly RunData[]): Drawn | null {
    const key = runs.map((run) => `${run.info.run}:${run.arraysVersion}`).join(' ');
    if (this.projected.key !== key) {
      const size = runs[0].firstSnapshot('probeOutputs')?.data.length;
      const all = runs.map((run) => run.snapshots('probeOutputs').filter((s) => s.data.length === size));
      const plane = principalPlane(all.flat().map((s) => s.data));
      let at = 0;
      const paths = all.map((snapshots, color) => ({
        color,
        points: snapshots.map((s) => {
          const i = 2 * at++;
          return { x: plane?.scores[i] ?? 0, y: plane?.scores[i + 1] ?? 0, step: s.step };
        }),
      }));
      const shares = plane?.shares ?? null;
      this.projected = { key, drawn: { paths: plane ? paths : [], terrain: null, shares } };
    }
    const { drawn } = this.projected;
    return drawn.paths.length > 0 ? drawn : null;
  }

  protected override summarize({ primary }: Scene): string {
    const shares = this.drawn?.shares;
    const text =
      this.view === 'line' || !shares
        ? t('The path of {0} from its start to step {1}.', primary?.label ?? '', primary?.lastStep ?? 0)
        : t('The two directions hold {0} and {1} of the variance.', ...shares.map(formatPercent));
    this.canvas.setAttribute('aria-label', text);
    this.line.describe(text);
    return text;
  }

  protected override describeUnits(): string {
    return {
      outputs: t('outputs on the probe inputs, principal directions'),
      plane: t('training loss around the way of the weights'),
      line: t('training loss from the first to the last weights'),
    }[this.view ?? 'outputs'];
  }

  override table({ primary }: Scene): Table {
    if (this.view === 'line') {
      const found = primary?.snapshotAt('lossLine', null);
      return {
        columns: ['s', 'loss'],
        rows: Array.from({ length: found?.shape[0] ?? 0 }, (_, i) => [
          found?.data[2 * i] ?? null,
          found?.data[2 * i + 1] ?? null,
        ]),
      };
    }
    const points = this.drawn?.paths[0]?.points ?? [];
    return { columns: ['step', 'axis 1', 'axis 2'], rows: points.map((p) => [p.step, p.x, p.y]) };
  }

  protected override picture(title: string, subtitle: string): string {
    if (this.view === 'line') return this.line.svg(title, subtitle);
    const theme = readTheme();
    const [width, height] = [this.stage.clientWidth, this.stage.clientHeight];
    return svgPicture(
      { title, subtitle, theme, width, height },
      `<image width="${width}" height="${height}" href="${this.canvas.toDataURL()}"/>`,
    );
  }

  override dispose(): void {
    this.line.dispose();
    this.canvas.remove();
  }
}

const axisNames = ({ shares }: Drawn): [string, string] =>
  shares
    ? ([1, 2].map((k) => t('direction {0} ({1})', k, formatPercent(shares[k - 1]))) as [string, string])
    : [t('direction {0}', 1), t('direction {0}', 2)];

/** The loss on the plane of the weights and the path on it. */
function weights(run: RunData): Drawn | null {
  const plane = run.snapshotAt('landscape', null);
  const path = run.snapshotAt('weightPath', null);
  if (!plane || !path) return null;
  const [rows, columns] = plane.shape;
  const { data } = plane;
  const last = 3 * (rows * columns - 1);
  return {
    terrain: {
      rows,
      columns,
      values: Float64Array.from({ length: rows * columns }, (_, i) => data[3 * i + 2]),
      x: [data[0], data[last]],
      y: [data[1], data[last + 1]],
    },
    paths: [
      {
        color: 1,
        points: Array.from({ length: path.shape[0] }, (_, i) => ({
          x: path.data[3 * i],
          y: path.data[3 * i + 1],
          step: path.data[3 * i + 2],
        })),
      },
    ],
    shares: null,
  };
}
