import { cotangentsOfUses, type WeightUse } from '../derivatives/backward.js';
import { Cotangents, walkBack } from '../derivatives/reverse.js';
import type { Graph } from '../graph/graph.js';
import type { Program } from '../graph/program.js';
import { type Structure, signatureOf } from '../graph/samples.js';
import { sizeOf } from '../primitives/primitive.js';
import { sampleOuter } from '../products.js';
import * as tf from '../tf.js';
import type { Contribution } from './contribution.js';
import { keepsPositions } from './positions.js';
import type { KernelMode } from './request.js';
import { type Surroundings, type Use, unitVectors, useOf } from './uses.js';
import { disjoint, type View, viewsOf } from './views.js';

type Outer = Extract<Use, { kind: 'outer' }>;
type Rows = Extract<Use, { kind: 'rows' }>;

export interface ContributionRequest {
  readonly mode: KernelMode;
  /** The scalar outputs that are wanted. */
  readonly outputs: readonly number[];
  /** Samples of the whole kernel, by which the form of a contribution is chosen. */
  readonly counted: number;
}

/** Uses of one weight that hold the same numbers of it in the same order. */
interface Group {
  readonly view: View;
  readonly uses: Use[];
}

/** What the layers of a traced program bring to the kernel of the samples it was traced on. The caller tidies. */
export function contributionsOf(
  program: Program,
  graph: Graph,
  structure: Structure,
  samples: number,
  request: ContributionRequest,
): readonly Contribution[] {
  if (signatureOf(graph) !== structure.signature) throw new ChangedTrace();
  const { layouts, fixedAttrs } = structure;
  const weights = new Set(program.weights.map(({ variable }) => variable));
  const { uses, active } = cotangentsOfUses(graph, structure, weights, samples, request.outputs);
  const index = new Map(graph.nodes.map((node, k) => [node, k]));
  const around: Surroundings = {
    samples,
    layout: (node, name) => layouts[node.inputs[name].id],
    outLayout: (node) => layouts[node.outputs[0].id],
    fixedAttrs: (node) => fixedAttrs[index.get(node) ?? -1] ?? false,
  };
  const views = viewsOf(graph, layouts, active);
  const { groups, loose } = grouped(uses, views, around);
  const outputs = request.outputs.length;
  const rows = pulledBack(graph, structure, active, loose, weights, samples, outputs);
  const parts: Contribution[] = [];
  for (const { variable, group } of program.weights) {
    const own = rows.get(variable);
    if (own) parts.push(gradientsContribution(group, own, request.mode));
  }
  parts.push(...structured(groups, program, request, samples));
  return parts;
}

/** Another sequence of kernels than the one whose structure is known. */
export class ChangedTrace extends Error {}

/** A use whose gradients must be taken in full, with the value they are gradients in. */
interface Loose {
  readonly id: number;
  readonly shape: readonly number[];
  readonly use: Use;
}

/** Which uses keep their structure: those of weights that are used as views that are equal or have nothing in common. */
function grouped(
  uses: readonly WeightUse[],
  views: ReadonlyMap<number, View | null>,
  around: Surroundings,
): { groups: readonly Group[]; loose: readonly Loose[] } {
  const all = uses.map(({ node, name, value, cotangents }) => ({
    value,
    view: views.get(value.id) ?? null,
    use: useOf(node, name, cotangents, around),
  }));
  const groups = new Map<tf.Variable, Map<string, Group>>();
  const broken = new Set<tf.Variable>(variablesOfExpressions(all, views));
  for (const { view, use } of all) {
    if (!view) continue;
    const own = groups.get(view.variable) ?? new Map<string, Group>();
    groups.set(view.variable, own);
    const key = `${view.key} ${view.factor} ${formOf(use)}`;
    const group = own.get(key) ?? { view, uses: [] };
    own.set(key, group);
    group.uses.push(use);
    for (const [other, { view: otherView }] of own)
      if (other !== key && !disjoint(otherView, view)) broken.add(view.variable);
  }
  const kept = [...groups]
    .filter(([variable]) => !broken.has(variable))
    .flatMap(([, own]) => [...own.values()]);
  const loose = all
    .filter(({ view }) => !view || broken.has(view.variable))
    .map(({ value: { id, shape }, use }) => ({ id, shape, use }));
  return { groups: kept, loose };
}

/** Uses of the same form add up number by number. */
const formOf = (use: Use): string =>
  use.kind === 'rows' ? 'rows' : `outer ${use.flipped} ${use.inputs.shape[2]} ${use.cotangents.shape[3]}`;

/** Weights that also enter something that is more than a view. */
function variablesOfExpressions(
  all: readonly { readonly value: WeightUse['value']; readonly view: View | null }[],
  views: ReadonlyMap<number, View | null>,
): readonly tf.Variable[] {
  const found = new Set<tf.Variable>();
  const seen = new Set<number>();
  const visit = (value: WeightUse['value']): void => {
    if (seen.has(value.id) || !views.has(value.id)) return;
    seen.add(value.id);
    if (value.variable) found.add(value.variable);
    for (const input of Object.values(value.node?.inputs ?? {})) visit(input);
  };
  for (const { value, view } of all) if (!view) visit(value);
  return [...found];
}

/** Gradients [N, O, |w|] of a use in the order of w's numbers. */
function asRows(use: Use, shape: readonly number[], samples: number): tf.Tensor3D {
  if (use.kind === 'rows') return use.rows;
  if (use.inputs.dtype === 'int32')
    return asRows({ ...use, inputs: unitVectors(use.inputs, shape[0]) }, shape, samples);
  const [, outputs, positions, m] = use.cotangents.shape;
  const d: tf.Tensor = tf.broadcastTo<tf.Rank>(use.cotangents, [samples, outputs, positions, m]);
  const k = use.inputs.shape[2];
  const each = Array.from({ length: outputs }, (_, o) => {
    const one = tf.reshape(tf.slice(d, [0, o, 0, 0], [samples, 1, positions, m]), [
      samples,
      positions,
      m,
    ]) as tf.Tensor3D;
    return use.flipped ? sampleOuter(one, use.inputs) : sampleOuter(use.inputs, one);
  });
  return tf.reshape(tf.stack(each, 1), [samples, outputs, Math.max(k * m, sizeOf(shape))]) as tf.Tensor3D;
}

/** Gradients in the weights [N, O, P] of those that stand behind expressions of weights, all samples and outputs at once. */
function pulledBack(
  graph: Graph,
  { layouts }: Structure,
  active: ReadonlySet<number>,
  loose: readonly Loose[],
  weights: ReadonlySet<tf.Variable>,
  samples: number,
  outputs: number,
): ReadonlyMap<tf.Variable, tf.Tensor3D> {
  const cotangents = new Cotangents();
  const found = new Map<tf.Variable, tf.Tensor3D>();
  if (loose.length === 0) return found;
  for (const { id, shape, use } of loose)
    cotangents.add(id, tf.reshape(asRows(use, shape, samples), [samples * outputs, ...shape]));
  walkBack(
    graph,
    active,
    cotangents,
    () => false,
    (node) => node.outputs.some(({ id }) => layouts[id] !== null),
  );
  for (const { id, variable, shape } of graph.variables) {
    const d = cotangents.get(id);
    if (!d || !variable || !weights.has(variable)) continue;
    const whole = tf.broadcastTo(d, [samples * outputs, ...shape]);
    found.set(variable, tf.reshape(whole, [samples, outputs, -1]) as tf.Tensor3D);
  }
  return found;
}

/** In trace form the outputs of a sample lie side by side. */
function gradientsContribution(layer: string, rows: tf.Tensor3D, mode: KernelMode): Contribution {
  const [n, outputs, p] = rows.shape;
  const flat = mode === 'full' ? [n * outputs, p] : [n, outputs * p];
  return { kind: 'gradients', layer, rows: [tf.reshape<tf.Rank>(rows, flat) as tf.Tensor2D] };
}

const identity = (t: tf.Tensor): object => (t as tf.Tensor & { dataId: object }).dataId;

function structured(
  groups: readonly Group[],
  program: Program,
  request: ContributionRequest,
  samples: number,
): readonly Contribution[] {
  const order = new Map(program.weights.map(({ variable, group }, k) => [variable, { group, k }]));
  const named = groups
    .map((group) => ({ ...group, ...(order.get(group.view.variable) as { group: string; k: number }) }))
    .sort((a, b) => a.k - b.k);
  const biases = named.filter(({ uses }) => uses.every((use) => use.kind === 'rows' && use.source));
  const folded = new Set<(typeof named)[number]>();
  const parts: Contribution[] = [];
  for (const item of named) {
    if (item.uses[0].kind !== 'outer') continue;
    const outer = item.uses as Outer[];
    const bias = biases.find(
      (candidate) =>
        !folded.has(candidate) &&
        candidate.group === item.group &&
        candidate.uses.length === outer.length &&
        candidate.uses.every(
          (use, k) => identity((use as Rows).source as tf.Tensor) === identity(outer[k].source),
        ),
    );
    if (bias) folded.add(bias);
    const { factor } = item.view;
    parts.push(
      outerContribution(item.group, outer, factor, bias ? bias.view.factor / factor : 0, request, samples),
    );
  }
  for (const item of named) {
    if (item.uses[0].kind !== 'rows' || folded.has(item)) continue;
    const all = item.uses.map((use) => (use as Rows).rows);
    const sum = all.length === 1 ? all[0] : (tf.addN(all) as tf.Tensor3D);
    const rows = item.view.factor === 1 ? sum : (tf.mul(sum, item.view.factor) as tf.Tensor3D);
    parts.push(gradientsContribution(item.group, rows, request.mode));
  }
  return parts;
}

/** The contribution of a weight that is multiplied with rows; several uses stand side by side, along the positions. */
function outerContribution(
  layer: string,
  uses: readonly Outer[],
  factor: number,
  biasScale: number,
  { mode, outputs, counted }: ContributionRequest,
  samples: number,
): Contribution {
  const [first] = uses;
  const count = outputs.length;
  const shared = uses.length === 1 && first.inputs.dtype !== 'int32' && first.cotangents.shape[0] !== samples;
  const k = first.inputs.shape[2];
  const m = first.cotangents.shape[3];
  if (shared)
    return {
      kind: 'product',
      layer,
      input: tf.reshape(first.inputs, [samples, k]) as tf.Tensor2D,
      cotangent: tf.reshape(first.cotangents, [count, m]) as tf.Tensor2D,
      per: 'shared',
      biasScale,
      factor: factor * factor,
    };
  const whole = uses.map(({ cotangents }) =>
    cotangents.shape[0] === samples
      ? cotangents
      : (tf.broadcastTo<tf.Rank>(cotangents, [samples, ...cotangents.shape.slice(1)]) as tf.Tensor4D),
  );
  const inputs =
    uses.length === 1
      ? first.inputs
      : (tf.concat(
          uses.map((use) => use.inputs),
          1,
        ) as tf.Tensor3D);
  const d = uses.length === 1 ? whole[0] : (tf.concat(whole, 2) as tf.Tensor4D);
  const positions = inputs.shape[1];
  const isTable = inputs.dtype === 'int32';
  if (positions === 1 && !isTable)
    return {
      kind: 'product',
      layer,
      input: tf.reshape(inputs, [samples, k]) as tf.Tensor2D,
      cotangent: tf.reshape(d, [samples * count, m]) as tf.Tensor2D,
      per: count,
      biasScale,
      factor: factor * factor,
    };
  const scaled = factor === 1 ? d : (tf.mul(d, factor) as tf.Tensor4D);
  if (isTable || keepsPositions(counted, count, positions, k, m))
    return { kind: 'positions', layer, patches: inputs, cotangents: scaled, biasScale };
  const rows = asRows({ ...first, inputs, cotangents: scaled, flipped: false }, [k, m], samples);
  const withBias =
    biasScale === 0 ? rows : (tf.concat([rows, tf.mul(tf.sum(scaled, 2), biasScale)], 2) as tf.Tensor3D);
  return gradientsContribution(layer, withBias, mode);
}
