import { device } from '../../devices/index.js';
import type { ConvLayer, StackLayer } from '../../patterns/convStack.js';
import * as tf from '../../tf.js';
import { type Contribution, concatenated, disposeContributions, keepContributions } from '../contribution.js';
import { convContribution } from './convContribution.js';
import { runBelow, runContributions } from './convolutionRun.js';
import { type Cotangents, outside } from './cotangents.js';
import type { StackRequest } from './request.js';
import { backward, forward, fusedForward, isFused } from './stackLayers.js';

type DenseStage = Extract<StackLayer, { kind: 'dense' }>;

/**
 * Parts of the kernel for a network of stages, x being [N, h, w, c]: one forward pass, and one backward pass for all
 * outputs together, a chunk of samples at a time. The tensors of the result are kept; the caller disposes them.
 */
export function stackContributions(
  stages: readonly StackLayer[],
  x: tf.Tensor4D,
  request: StackRequest,
): readonly Contribution[] {
  const samples = x.shape[0];
  const size = samplesInChunk(stages, request);
  const chunks: (readonly Contribution[])[] = [];
  for (let i = 0; i < samples; i += size) {
    const n = Math.min(size, samples - i);
    chunks.push(
      keepContributions(() => {
        const [h, w, c] = x.shape.slice(1);
        const chunk = n === samples ? x : tf.slice4d(x, [i, 0, 0, 0], [n, h, w, c]);
        return chunkOfStack(stages, chunk, request);
      }),
    );
  }
  if (chunks.length === 1) return chunks[0];
  return chunks[0].flatMap((_, k) => {
    const pieces = chunks.map((parts) => parts[k]);
    const whole = keepContributions(() => [concatenated(pieces)]);
    disposeContributions(pieces);
    return whole;
  });
}

function samplesInChunk(stages: readonly StackLayer[], request: StackRequest): number {
  const lean = needsActivationsOnly(stages, request);
  let most = 1;
  for (const stage of stages) {
    if (stage.kind !== 'conv') continue;
    const [height, width, filters] = stage.outShape;
    const [kh, kw, channels] = stage.kernel.shape as number[];
    const positions = height * width;
    most = Math.max(most, positions * filters * (lean ? 1 : request.outputs));
    if (!lean || channels < 8) most = Math.max(most, positions * kh * kw * channels);
  }
  return Math.max(1, Math.floor(device().chunkValues / most));
}

/** Whether one run on our own threads holds all convolutions, and all samples share the rows of cotangents above it. */
function needsActivationsOnly(stages: readonly StackLayer[], request: StackRequest): boolean {
  const first = firstTrainable(stages);
  const top = stages.reduce((last, stage, s) => (stage.kind === 'conv' ? s : last), -1);
  const above = stages.slice(top + (stages[top + 1]?.kind === 'activation' ? 2 : 1));
  const shared =
    above.length > 0 && above[0].kind === 'mean' && above.slice(1).every((s) => s.kind === 'dense');
  return shared && first >= 0 && first <= top && runBelow(stages, top, first, request) === first;
}

const firstTrainable = (stages: readonly StackLayer[]): number =>
  stages.findIndex((stage) => 'trainable' in stage && stage.trainable);

/** Everything for one chunk of samples. The caller tidies. */
function chunkOfStack(stages: readonly StackLayer[], x: tf.Tensor4D, request: StackRequest): Contribution[] {
  const first = firstTrainable(stages);
  const inputs: tf.Tensor[] = [];
  let a: tf.Tensor = x;
  for (const [s, stage] of stages.entries()) {
    inputs.push(a);
    const next = stages[s + 1];
    if (stage.kind === 'activation' && stages[s - 1] && isFused(stages[s - 1], stage)) continue;
    a = next && isFused(stage, next) ? fusedForward(stage as ConvLayer, a as tf.Tensor4D) : forward(stage, a);
  }
  const n = x.shape[0];
  const units = a.size / n;
  const eye = tf.eye(units) as tf.Tensor2D;
  const { output } = request;
  const rows = output === undefined ? eye : tf.slice2d(eye, [output, 0], [1, units]);
  let d: Cotangents = {
    form: 'shared',
    rows: tf.reshape(rows, [rows.shape[0], ...a.shape.slice(1)]),
    slope: null,
  };
  const parts: Contribution[] = [];
  for (let s = stages.length - 1; s >= first && first >= 0; s--) {
    const stage = stages[s];
    const input = inputs[s];
    if (stage.kind === 'dense' && stage.trainable)
      parts.unshift(denseContribution(stage, input as tf.Tensor2D, d));
    const lowest = stage.kind === 'conv' ? runBelow(stages, s, first, request) : null;
    if (lowest !== null) {
      const run = runContributions(stages, lowest, s, first, inputs, d, request);
      parts.unshift(...run.parts);
      if (!run.cotangents) break;
      d = run.cotangents;
      s = lowest;
      continue;
    }
    if (stage.kind === 'conv' && stage.trainable)
      parts.unshift(convContribution(stage, input as tf.Tensor4D, d, request));
    if (s > first) d = backward(stage, input, inputs[s + 1] ?? a, d);
  }
  return parts;
}

function denseContribution(stage: DenseStage, a: tf.Tensor2D, d: Cotangents): Contribution {
  const common = {
    kind: 'product' as const,
    layer: stage.name,
    input: tf.clone(a),
    biasScale: stage.bias ? stage.biasScale / stage.scale : 0,
    factor: stage.scale * stage.scale,
  };
  if (d.form === 'shared' && !d.slope)
    return { ...common, cotangent: tf.clone(d.rows as tf.Tensor2D), per: 'shared' };
  const units = stage.kernel.shape[1] as number;
  const rows = tf.clone(outside(d, a.shape[0], [units]));
  const cotangent = tf.reshape(rows, [-1, units]) as tf.Tensor2D;
  return { ...common, cotangent, per: rows.shape[1] as number };
}
