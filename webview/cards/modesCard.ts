import type { Series } from '../charts/series.js';
import { formatNumber } from '../format.js';
import type { RunData } from '../store.js';
import { t } from '../strings.js';
import { dropdown } from '../toolkit.js';
import { Card, type CardPlace, type Scene, type Table } from './card.js';
import { ChartViews } from './chartViews.js';

type ModesView = 'index' | 'time';
/** Modes followed over the run, as far as there are so many. */
const followed = [0, 1, 3, 9, 29];

/** What is still to be learnt along each eigenvector of the initial kernel, against theory's value. */
export class ModesCard extends Card {
  protected override readonly followsRows = false;
  private readonly views: ChartViews<ModesView>;

  constructor(place: CardPlace) {
    super({
      ...place,
      id: 'modes',
      title: t('Residual per eigenmode'),
      explanation: t(
        'The error split along the eigenvectors of the initial kernel, largest eigenvalue first. Under gradient descent with a fixed kernel the error along mode k shrinks by the factor 1 − η λ_k / n in every step; the dashed line is that prediction. Modes at the left are learnt first.',
      ),
      missing: t('the residual of each eigenmode: set measure.kernels above 0'),
    });
    const yLabel = t('|residual| along v');
    const options = {
      index: { xLabel: t('mode k'), yLabel, logX: true, logY: true },
      time: { xLabel: t('step'), yLabel, logY: true, steps: true },
    };
    this.views = new ChartViews<ModesView>(this.stage, options, 'index');
    this.switches.append(
      dropdown({
        label: t('How to draw the modes'),
        selected: this.views.view,
        values: [
          { value: 'index', text: t('over index') },
          { value: 'time', text: t('over time') },
        ],
        onChange: (value) => {
          this.views.view = value as ModesView;
          place.onChange();
        },
      }),
    );
  }

  override available(run: RunData): boolean {
    return run.has('residual');
  }

  protected override draw(scene: Scene): boolean {
    const { primary, step } = scene;
    if (!primary?.snapshotAt('residual', step)) return false;
    const series = this.views.view === 'index' ? overIndex(primary, step) : overTime(primary);
    this.views.draw(scene, series, this.views.view === 'time');
    this.setLegend(series, scene.theme);
    return true;
  }

  protected override summarize({ primary, step }: Scene): string {
    const now = primary?.snapshotAt('residual', step);
    const start = primary?.firstSnapshot('residual');
    if (!now || !start) return '';
    let learnt = 0;
    for (let k = 0; k < now.data.length; k++)
      if (Math.abs(now.data[k]) < 0.1 * Math.abs(start.data[k])) learnt++;
    const text = t(
      'At step {0}, {1} of {2} modes are below a tenth of their initial error.',
      formatNumber(now.step),
      learnt,
      now.data.length,
    );
    this.views.describe(text);
    return text;
  }

  protected override describeUnits(): string {
    return t('vₖ·(f − y), vₖ from the kernel at the start');
  }

  override table({ primary, step }: Scene): Table {
    const now = primary?.snapshotAt('residual', step);
    if (!primary || !now) return { columns: ['mode'], rows: [] };
    const start = primary.firstSnapshot('residual');
    const predicted = primary.snapshotAt('predictedResidual', now.step);
    return {
      columns: ['mode', 'residual', 'predicted', 'start'],
      rows: Array.from(now.data, (v, k) => [k + 1, v, predicted?.data[k] ?? null, start?.data[k] ?? null]),
    };
  }

  protected override picture(title: string, subtitle: string): string {
    return this.views.shown.svg(title, subtitle);
  }

  override dispose(): void {
    this.views.dispose();
  }
}

const magnitude = (data: ArrayLike<number>): Float64Array => Float64Array.from(data, Math.abs);

function overIndex(run: RunData, step: number | null): Series[] {
  const now = run.snapshotAt('residual', step);
  if (!now) return [];
  const x = Float64Array.from({ length: now.data.length }, (_, k) => k + 1);
  const predicted = run.snapshotAt('predictedResidual', now.step);
  const start = run.firstSnapshot('residual');
  const many = now.data.length > 24;
  const series: Series[] = [];
  if (predicted?.step === now.step)
    series.push({
      label: t('predicted by the kernel'),
      color: 2,
      stroke: 'dashed',
      x,
      y: magnitude(predicted.data),
    });
  series.push({ label: t('step {0}', now.step), color: 0, x, y: magnitude(now.data), dots: many });
  if (start && start !== now)
    series.push({
      label: t('at the start'),
      color: 1,

      x,
      y: magnitude(start.data),
      faint: true,
    });
  return series;
}

/** Some modes over the measured steps, each with its prediction in the same colour. */
function overTime(run: RunData): Series[] {
  const all = run.snapshots('residual');
  const predicted = run.snapshots('predictedResidual');
  const modes = followed.filter((k) => k < (all[0]?.data.length ?? 0));
  return modes.flatMap((k, color): Series[] => {
    const lines: Series[] = [
      {
        label: t('mode {0}', k + 1),
        color,
        dots: true,
        x: Float64Array.from(all, (s) => s.step),
        y: Float64Array.from(all, (s) => Math.abs(s.data[k])),
      },
    ];
    if (predicted.length > 0)
      lines.push({
        label: t('predicted'),
        color,
        stroke: 'dashed',
        x: Float64Array.from(predicted, (s) => s.step),
        y: Float64Array.from(predicted, (s) => Math.abs(s.data[k])),
      });
    return lines;
  });
}
