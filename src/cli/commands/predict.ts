import path from 'node:path';
import type { Command } from 'commander';
import { spoken } from '../../protocol/sentence.js';
import { type ModelOptions, modelOptions, overridesOf, printJson, short } from '../io/options.js';

interface Options extends ModelOptions {
  readonly json?: boolean;
}

export function register(program: Command): void {
  modelOptions(
    program
      .command('predict')
      .description(
        'what theory says of a model before training: spectrum, largest step, time to a loss, regime',
      )
      .argument('<file>', 'model file (.ts, .js) or layers model.json'),
  )
    .option('--json', 'one JSON document on stdout')
    .action(predictAction);
}

async function predictAction(file: string, options: Options): Promise<void> {
  const { inspectModel } = await import('../../trainer/inspect.js');
  const found = await inspectModel(
    {
      file: path.resolve(file),
      exportName: options.export ?? '',
      overrides: overridesOf(options),
      data: options.data,
      backend: options.backend,
    },
    undefined,
    true,
  );
  if (!found) return;
  if (options.json) {
    const {
      parameters,
      eigenvalues,
      condition,
      maxStep,
      stepsTo,
      regime,
      learningRate,
      layers,
      problems,
      probe,
      notes,
    } = found;
    printJson({
      parameters,
      eigenvalues,
      condition,
      maxStep,
      stepsTo,
      regime: regime.regime,
      reasons: regime.reasons,
      learningRate,
      probe,
      noiseFloor: found.noiseFloor,
      limitEigenvalues: found.limitEigenvalues ?? null,
      limitNote: found.limitNote ?? null,
      layers,
      problems: problems.map((p) => ({
        ...p,
        message: spoken(p.message),
        ...(p.fix ? { fix: { ...p.fix, title: spoken(p.fix.title) } } : {}),
      })),
      notes,
      backend: found.backend.name,
    });
    return;
  }
  const { eigenvalues, stepsTo } = found;
  const steps = (value: number | null) => (value === null ? 'never' : `${value} steps`);
  const lines = [
    ...found.notes,
    `${found.parameters.toLocaleString('en')} parameters; kernel on ${found.probe} inputs (${found.backend.name} backend, ${Math.round(found.milliseconds)} ms)`,
    ...found.layers
      .filter((layer) => layer.parameters > 0)
      .map(
        (layer) =>
          `  ${layer.name.padEnd(20)} ${layer.type.padEnd(16)} [${layer.outputShape.slice(1).join(', ')}]  ${layer.parameters.toLocaleString('en')} parameters, ${(100 * layer.kernelShare).toFixed(1)} % of the kernel`,
      ),
    `Eigenvalues: ${short(eigenvalues[0])} … ${short(eigenvalues[eigenvalues.length - 1])}, condition number ${short(found.condition)}`,
    `Largest stable step: ${short(found.maxStep)}; this experiment uses ${short(found.learningRate)}`,
    `Time to a half, a tenth, a hundredth of the loss: ${steps(stepsTo.half)}, ${steps(stepsTo.tenth)}, ${steps(stepsTo.hundredth)}`,
    `Regime: ${found.regime.regime}`,
    ...found.regime.reasons.map((reason) => `  ${reason}`),
    ...found.problems.map((p) => `! ${spoken(p.message)}${p.fix ? ` (${spoken(p.fix.title)})` : ''}`),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
