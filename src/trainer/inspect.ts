import { predictedCurve } from '../core/dynamics/beforeTraining.js';
import { conditionNumber } from '../core/linalg/spectrum.js';
import type { ExperimentDefinition } from '../experiment/index.js';
import { inputsWithClashingLabels, unitHealth } from '../network/training/health.js';
import { KernelProbe, regimeForecast, Stepper, stepFactors, wholeStart } from '../network/training/index.js';
import type { Inspection, InspectionProblem, InspectRequest } from '../protocol/trainerWire.js';
import { limitSpectrum } from './limitGhost.js';
import { prepare } from './session.js';

/** Everything theory can say of a model before it is trained; `exact` predicts from the whole training set's kernel. */
export async function inspectModel(
  request: InspectRequest,
  cancelled: () => boolean = () => false,
  exact = false,
): Promise<Inspection | null> {
  const start = performance.now();
  const { experiment, backend, data, built } = await prepare({ ...request }, () => undefined);
  const { definition } = experiment;
  const factors = stepFactors(built, definition);
  const probe = new KernelProbe(built.model, data, definition.probe, factors);
  const stepper = new Stepper(built, definition, 1);
  try {
    if (cancelled()) return null;
    const outputs = probe.predict((x) => stepper.predict(x));
    const measured = await probe.measure(outputs);
    const top = await probe.stabilityEigenvalue(definition.loss, outputs);
    if (cancelled()) return null;
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
    const health = unitHealth(built.model, data);
    const ghost = limitSpectrum(built, data, probe.rows, factors);
    const regime = await regimeForecast(built.model, probe, measured, outputs, {
      loss: definition.loss,
      optimizer,
      steps: definition.steps,
      learningRate,
      factors,
      tangent: built.spec?.train === 'tangent',
    });
    return {
      parameters: built.model.countParams(),
      layers: built.model.layers.map((layer) => ({
        name: layer.name,
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
      problems: problemsOf(
        definition,
        maxStep,
        health,
        inputsWithClashingLabels(data),
        built.twoLayer?.alpha,
      ),
      backend: { name: backend.name, why: backend.why },
      milliseconds: performance.now() - start,
    };
  } finally {
    probe.dispose();
    stepper.dispose();
    built.model.dispose();
  }
}

const rowNorms = (values: Float64Array, cols: number): Float64Array =>
  Float64Array.from({ length: values.length / cols }, (_, i) =>
    Math.hypot(...values.subarray(i * cols, (i + 1) * cols)),
  );

const short = (v: number): string => String(Number(v.toPrecision(3)));

/** Theory-backed problems of a definition, tied to the field they concern. */
function problemsOf(
  definition: ExperimentDefinition,
  maxStep: number,
  health: ReturnType<typeof unitHealth>,
  clashing: number,
  alpha: number | undefined,
): InspectionProblem[] {
  const problems: InspectionProblem[] = [];
  const { optimizer, batch, noise } = definition;
  const rate = optimizer.learningRate;
  // Minibatches change the bound, so they get no such problem; neither does Adam.
  if (typeof rate === 'number' && optimizer.kind !== 'adam' && batch === 'full' && rate > maxStep) {
    const safe = Number((0.95 * maxStep).toPrecision(2));
    problems.push({
      code: 'step-too-large',
      severity: 'warning',
      field: 'optimizer.learningRate',
      message: `The step size ${short(rate)} is above ${short(maxStep)}, the largest at which gradient descent is stable for this kernel (2 n / λ_max). The loss will rise at first and may diverge.`,
      fix: { title: `Use ${safe}, the largest safe step size`, value: String(safe) },
    });
  }
  if (
    alpha !== undefined &&
    typeof rate === 'number' &&
    alpha > 1 &&
    !optimizer.stepScale &&
    rate * 50 < maxStep
  ) {
    problems.push({
      code: 'step-scale',
      severity: 'information',
      field: 'optimizer.learningRate',
      message: `The step size ${short(rate)} is ${Math.round(maxStep / rate)} times below the stable bound ${short(maxStep)} of this width and scale; training will be slow. Step sizes scale with m / α².`,
      fix: { title: "Choose the step size from the kernel ('auto')", value: "'auto'" },
    });
  }
  for (const [layer, { dead, saturated }] of Object.entries(health)) {
    if (dead !== null && dead > 0.25)
      problems.push({
        code: 'dead-units',
        severity: 'warning',
        field: 'model.activation',
        message: `${Math.round(100 * dead)} % of the units of layer ${layer} are never active on the probe inputs: they get no gradient and cannot learn.`,
      });
    if (saturated !== null && saturated > 0.5)
      problems.push({
        code: 'saturated-units',
        severity: 'warning',
        field: 'model.activation',
        message: `${Math.round(100 * saturated)} % of the units of layer ${layer} are saturated on the probe inputs: their gradients vanish. Scale the inputs down or start with smaller weights.`,
      });
  }
  if (clashing > 0)
    problems.push({
      code: 'degenerate-kernel',
      severity: 'warning',
      field: 'data',
      message: `${clashing} training inputs are the same as another one with a different target: no kernel can fit them both, and the training loss cannot reach zero.`,
    });
  if (noise && noise.temperature > 0 && !definition.regularization)
    problems.push({
      code: 'noise-without-l2',
      severity: 'warning',
      field: 'noise',
      message:
        'Noise without L2 regularisation has no equilibrium: the neurons diffuse for ever. Add regularization: { all: ... }.',
    });
  return problems;
}

/** Runs one inspection at a time; the newest wins. */
export class Inspector {
  private newest = 0;
  private queue: Promise<unknown> = Promise.resolve();

  inspect(id: number, request: InspectRequest): Promise<Inspection | null> {
    this.newest = id;
    const cancelled = () => this.newest !== id;
    const result = this.queue.then(() => (cancelled() ? null : inspectModel(request, cancelled)));
    this.queue = result.catch(() => undefined);
    return result;
  }

  cancel(id: number): void {
    if (this.newest === id) this.newest = -1;
  }
}
