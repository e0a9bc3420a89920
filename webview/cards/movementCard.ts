import { LineChart, type Series } from '../charts/lineChart.js';
import { formatNumber } from '../format.js';
import { t } from '../strings.js';
import { dropdown } from '../toolkit.js';
import { Card, type CardOptions, chartPictures, type Scene, type Table } from './card.js';
import { columnsTable } from './columns.js';

type MovementView = 'layers' | 'neurons';

/** How far the parameters are from their start: per layer over the run, per neuron as a histogram. */
export class MovementCard extends Card {
  private readonly layers: LineChart;
  private readonly neurons: LineChart;
  private view: MovementView = 'layers';

  constructor(options: Pick<CardOptions, 'outlet'> & { readonly onChange: () => void }) {
    super({
      ...options,
      id: 'movement',
      title: t('Parameter movement'),
      explanation: t(
        'Distance of each layer’s weights from their start, divided by the size of the start. In the kernel (lazy) regime it falls like one over the square root of the width: the network fits by moving a little everywhere. In the mean-field (rich) regime it stays of order one at any width: neurons travel to useful features.',
      ),
    });
    this.layers = new LineChart(this.stage, { xLabel: t('step'), yLabel: t('relative movement') });
    this.neurons = new LineChart(this.stage, { xLabel: t('distance from the start'), yLabel: t('neurons') });
    this.tools.prepend(
      dropdown({
        label: t('How to draw movement'),
        selected: this.view,
        values: [
          { value: 'layers', text: t('per layer') },
          { value: 'neurons', text: t('per neuron') },
        ],
        onChange: (value) => {
          this.view = value as MovementView;
          options.onChange();
        },
      }),
    );
  }

  protected override draw(scene: Scene): boolean {
    this.layers.canvas.hidden = this.view !== 'layers';
    this.neurons.canvas.hidden = this.view !== 'neurons';
    const series = this.view === 'layers' ? perLayer(scene) : perNeuron(scene);
    if (series.length === 0) return false;
    const chart = this.view === 'layers' ? this.layers : this.neurons;
    chart.applyTheme(scene.theme);
    chart.setSeries(series);
    chart.draw();
    this.setLegend(
      series.map((s) => ({
        label: s.label,
        color: scene.theme.palette[s.color % scene.theme.palette.length],
      })),
    );
    return true;
  }

  protected override summarize({ primary }: Scene): string {
    if (!primary) return '';
    const parts = primary
      .movementLayers()
      .map((layer) => `${layer} ${formatNumber(primary.last(`movement.${layer}`))}`);
    const text = t('Relative movement by layer: {0}.', parts.join(', '));
    this.layers.describe(text);
    this.neurons.describe(text);
    return text;
  }

  override table({ primary }: Scene): Table {
    return columnsTable(primary, primary?.movementLayers().map((layer) => `movement.${layer}`) ?? []);
  }

  protected override pictures() {
    return chartPictures(this.view === 'layers' ? this.layers : this.neurons, this.options.title);
  }

  override dispose(): void {
    this.layers.dispose();
    this.neurons.dispose();
  }
}

function perLayer({ runs, primary }: Scene): Series[] {
  const series: Series[] = [];
  for (const run of runs) {
    for (const [i, layer] of run.movementLayers().entries()) {
      const data = run.column(`movement.${layer}`);
      if (data)
        series.push({
          label: runs.length > 1 ? `${run.label} · ${layer}` : layer,
          color: i + (run === primary ? 0 : 3),
          faint: run !== primary,
          x: data.step,
          y: data.values,
        });
    }
  }
  return series;
}

function perNeuron({ primary, step }: Scene): Series[] {
  const now = primary?.snapshotAt('neuronMovement', step);
  if (!now) return [];
  let max = 0;
  for (const v of now.data) max = Math.max(max, v);
  const bins = 32;
  const counts = new Float64Array(bins);
  for (const v of now.data) counts[Math.min(bins - 1, Math.floor((v / (max || 1)) * bins))]++;
  const x: number[] = [];
  const y: number[] = [];
  for (let b = 0; b < bins; b++) {
    x.push((b * max) / bins, ((b + 1) * max) / bins);
    y.push(counts[b], counts[b]);
  }
  return [{ label: t('neurons at step {0}', now.step), color: 0, x, y }];
}
