import { predictedCurve } from '../core/dynamics/beforeTraining.js';
import { conditionNumber } from '../core/linalg/spectrum.js';
import { KernelProbe, regimeForecast, Stepper, stepFactors, wholeStart } from '../network/training/index.js';
import { inputsWithClashingLabels, unitHealth } from '../network/training/observe/health.js';
import type { Inspection, InspectRequest } from '../protocol/trainerWire.js';
import { outputProblems } from './checks/outputProblems.js';
import { limitSpectrum } from './infiniteWidthSpectrum.js';
import { layerLabels } from './layerLabels.js';
import { preparePlaceholderData } from './placeholderData.js';
import { prepare } from './prepare.js';
import { problemsOf } from './problems.js';

/** Everything theory can say of a model before it is trained; `exact` predicts from the whole training set's kernel. */
export async function inspectModel(
  request: InspectRequest,
  cancelled: () => boolean | Promise<boolean> = () => false,
  exact = false,
): Promise<Inspection | null> {
  const start = performance.now();
  const { experiment, backend, data, built, notes } = request.placeholderData
    ? await preparePlaceholderData(request)
    : await prepare({ ...request }, () => undefined);
  const { definition } = experiment;
  const factors = stepFactors(built, definition);
  const probe = new KernelProbe(built.model, data, definition.probe, factors);
  const stepper = new Stepper(built, definition, 1);
  try {
    if (await cancelled()) return null;
    const outputs = probe.predict((x) => stepper.predict(x));
    const measured = await probe.measure(outputs);
    const top = await probe.stabilityEigenvalue(definition.loss, outputs);
    if (await cancelled()) return null;
    const { optimizer } = definition;
    const momentum = optimizer.kind === 'momentum' ? (optimizer.momentum ?? 0.9) : 0;
    const samples = probe.size * (definition.loss === 'mse' ? probe.outputs : 1);
    const maxStep = (2 * (1 + momentum) * samples) / top;
    const learningRate =
      optimizer.learningRate === 'auto'
        ? optimizer.kind === 'adam'
          ? 1e-3
          : maxStep / 2
        : optimizer.learningRate;
    // In the editor the probe inputs stand for the training set; a command can wait for all of it.
    const whole = exact ? await wholeStart(built.model, data, factors, (x) => stepper.predict(x)) : null;
    const counted = whole ? (samples * data.train.size) / probe.size : samples;
    const curve = predictedCurve(
      whole ? rowNorms(whole.coefficients, whole.outputs) : measured.residual,
      whole?.values ?? measured.eigenvalues,
      { rate: learningRate / counted, momentum, steps: definition.steps, scale: 1 / (2 * counted) },
    );
    if (await cancelled()) return null;
    const health = unitHealth(built.model, data);
    const ghost = limitSpectrum(built, data, probe.rows, factors);
    if (await cancelled()) return null;
    const regime = await regimeForecast(built.model, probe, measured, outputs, {
      ...definition,
      learningRate,
      maxStep,
      factors,
      data,
      probesOnly: !exact,
      tangent: built.spec?.train === 'tangent',
    });
    const labels = layerLabels(built.model);
    return {
      data: { name: data.name, placeholderData: request.placeholderData ?? false },
      parameters: built.model.countParams(),
      layers: built.model.layers.map((layer) => ({
        name: layer.name,
        label: labels.get(layer.name) ?? layer.name,
        type: layer.getClassName(),
        outputShape: (layer.outputShape as (number | null)[]) ?? [],
        parameters: layer.countParams(),
        kernelShare: measured.layerShare[layer.name] ?? 0,
        deadUnits: health[layer.name]?.dead ?? null,
        saturatedUnits: health[layer.name]?.saturated ?? null,
      })),
      probe: probe.size,
      eigenvalues: measured.eigenvalues,
      energy: measured.energy,
      noiseFloor: measured.noiseFloor,
      ...ghost,
      condition: conditionNumber(measured.eigenvalues, measured.noiseFloor),
      maxStep,
      learningRate,
      predictedLoss: { step: curve.step, loss: curve.loss },
      stepsTo: curve.stepsTo,
      regime,
      problems: [
        ...outputProblems({ definition, model: built.model, targets: data.train.y }),
        ...problemsOf({
          definition,
          exportName: experiment.exportName,
          built,
          labels,
          maxStep,
          stepsToHalf: curve.stepsTo.half,
          health,
          clashing: inputsWithClashingLabels(data),
          forecast: regime,
          outputSize: rootMeanSquare(outputs),
          targetSize: rootMeanSquare(data.train.y),
        }),
      ].filter((problem) => !request.placeholderData || !aboutData.has(problem.code)),
      notes,
      backend: { name: backend.name, why: backend.why },
      milliseconds: performance.now() - start,
    };
  } finally {
    probe.dispose();
    stepper.dispose();
    built.model.dispose();
  }
}

/** Problems that rest on inputs and targets; where others stand in for them they would be about nothing. */
const aboutData = new Set([
  'step-too-large',
  'step-scale',
  'degenerate-kernel',
  'saturated-units',
  'targets-out-of-reach',
]);

const rootMeanSquare = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] ** 2;
  return Math.sqrt(sum / Math.max(1, values.length));
};

const rowNorms = (values: Float64Array, cols: number): Float64Array =>
  Float64Array.from({ length: values.length / cols }, (_, i) =>
    Math.hypot(...values.subarray(i * cols, (i + 1) * cols)),
  );

/** Runs one inspection at a time; the newest wins. */
export class Inspector {
  private newest = 0;
  private queue: Promise<unknown> = Promise.resolve();

  inspect(id: number, request: InspectRequest): Promise<Inspection | null> {
    this.newest = id;
    // A turn of the event loop, so that a newer request is heard of between two stages.
    const cancelled = async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return this.newest !== id;
    };
    const result = this.queue.then(async () =>
      (await cancelled()) ? null : inspectModel(request, cancelled),
    );
    this.queue = result.catch(() => undefined);
    return result;
  }

  cancel(id: number): void {
    if (this.newest === id) this.newest = -1;
  }
}
