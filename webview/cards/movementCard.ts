import { histogram, type Series } from '../charts/series.js';
import { formatNumber } from '../format.js';
import type { RunData } from '../store.js';
import { t } from '../strings.js';
import { dropdown } from '../toolkit.js';
import { Card, type CardPlace, type Scene, type Table } from './card.js';
import { ChartViews } from './chartViews.js';
import { comparedTable } from './columns.js';

type MovementView = 'layers' | 'neurons' | 'width';

/** How far the parameters are from their start: per layer over the run, per neuron, and against the width. */
export class MovementCard extends Card {
  private readonly views: ChartViews<MovementView>;

  constructor(place: CardPlace) {
    super({
      ...place,
      id: 'movement',
      title: t('Parameter movement'),
      explanation: t(
        'Distance of each layer’s weights from their start, divided by the size of the start. In the kernel (lazy) regime it falls like one over the square root of the width: the network fits by moving a little everywhere. In the mean-field (rich) regime it stays of order one at any width: neurons travel to useful features. Against the width: lay runs of several widths over each other.',
      ),
      missing: t('the movement of the weights: it comes with the metrics rows'),
    });
    const moved = '|Δw| / |w₀|';
    const options = {
      layers: { xLabel: t('step'), yLabel: moved, zero: true, steps: true },
      neurons: { xLabel: t('distance from the start'), yLabel: t('neurons'), zero: true },
      width: { xLabel: t('width m'), yLabel: moved, logX: true, logY: true },
    };
    this.views = new ChartViews<MovementView>(this.stage, options, 'layers');
    // The legend says the numbers already; the sentence is for screen readers.
    this.root.classList.add('quiet');
    this.switches.append(
      dropdown({
        label: t('How to draw movement'),
        selected: this.views.view,
        values: [
          { value: 'layers', text: t('per layer') },
          { value: 'neurons', text: t('per neuron') },
          { value: 'width', text: t('against width') },
        ],
        onChange: (value) => {
          this.views.view = value as MovementView;
          place.onChange();
        },
      }),
    );
  }

  override available(run: RunData): boolean {
    return run.movementLayers().length > 0 || run.has('neuronMovement');
  }

  protected override draw(scene: Scene): boolean {
    const { view } = this.views;
    const series = { layers: perLayer, neurons: perNeuron, width: againstWidth }[view](scene);
    this.views.draw(scene, series, view === 'layers');
    this.setLegend(series, scene.theme);
    return series.length > 0;
  }

  protected override summarize({ primary }: Scene): string {
    if (!primary) return '';
    const parts = primary
      .movementLayers()
      .map((layer) => `${layer} ${formatNumber(primary.last(`movement.${layer}`))}`);
    const text = t('Relative movement by layer: {0}.', parts.join(', '));
    this.views.describe(text);
    return text;
  }

  protected override describeUnits(): string {
    return {
      layers: t('relative to the weights at the start'),
      neurons: t('first layer, one count per neuron'),
      width: t('whole network, with both width laws'),
    }[this.views.view];
  }

  override table({ runs, primary, step }: Scene): Table {
    const now = primary?.snapshotAt('neuronMovement', step);
    if (this.views.view === 'neurons' && now)
      return { columns: ['neuron', 'distance'], rows: Array.from(now.data, (v, j) => [j, v]) };
    const names = [...new Set(runs.flatMap((run) => run.movementLayers()))];
    return comparedTable(
      runs,
      names.map((layer) => `movement.${layer}`),
    );
  }

  protected override picture(title: string, subtitle: string): string {
    return this.views.shown.svg(title, subtitle);
  }

  override dispose(): void {
    this.views.dispose();
  }
}

function perLayer({ runs, step }: Scene): Series[] {
  const overlay = runs.length > 1;
  return runs.flatMap((run, index) =>
    run.movementLayers().flatMap((layer, i): Series[] => {
      const name = `movement.${layer}`;
      const data = run.column(name);
      if (!data) return [];
      return [
        {
          label: overlay ? `${run.label} · ${layer}` : layer,
          color: overlay ? index : i,
          stroke: (['solid', 'dashed', 'dotted', 'dashdot'] as const)[i % 4],
          x: data.step,
          y: data.values,
          value: formatNumber(step === null ? run.last(name) : run.near(name, step)),
        },
      ];
    }),
  );
}

function perNeuron({ runs, step }: Scene): Series[] {
  const found = runs.flatMap((run, index) => {
    const now = run.snapshotAt('neuronMovement', step);
    return now ? [{ run, index, now }] : [];
  });
  let max = 0;
  for (const { now } of found) for (const v of now.data) max = Math.max(max, v);
  return found.map(({ run, index, now }) => ({
    label: runs.length > 1 ? `${run.label} · ${t('step {0}', now.step)}` : t('step {0}', now.step),
    color: index,
    fill: true,
    ...histogram(now.data, 0, max || 1, 40),
  }));
}

/** Width of a run's hidden layers, or null where the definition does not say. */
function widthOf(run: RunData): number | null {
  const model = run.info.definition['model'];
  if (typeof model !== 'object' || model === null) return null;
  const { width, hidden } = model as { width?: unknown; hidden?: unknown };
  if (typeof width === 'number') return width;
  return Array.isArray(hidden) && typeof hidden[0] === 'number' ? hidden[0] : null;
}

/** Movement over the whole network against the width, and the two laws through the run in front. */
function againstWidth({ runs, primary, step }: Scene): Series[] {
  const points = runs.flatMap((run, index) => {
    const width = widthOf(run);
    const moved = step === null ? run.last('movement') : run.near('movement', step);
    return width !== null && moved !== null && moved > 0 ? [{ run, index, width, moved }] : [];
  });
  const origin = points.find(({ run }) => run === primary) ?? points[0];
  if (!origin) return [];
  const widths = points.map(({ width }) => width);
  const x = Float64Array.of(Math.min(...widths, origin.width / 4), Math.max(...widths, 4 * origin.width));
  const law = (power: number) => x.map((m) => origin.moved * (m / origin.width) ** power);
  return [
    ...points.map(({ run, index, width, moved }) => ({
      label: run.label,
      color: index,
      dots: true,
      x: [width],
      y: [moved],
      value: formatNumber(moved),
    })),
    { label: t('lazy: m^(−1/2)'), color: 0, stroke: 'dashed' as const, faint: true, x, y: law(-0.5) },
    { label: t('rich: constant'), color: 1, stroke: 'dotted' as const, faint: true, x, y: law(0) },
  ];
}
