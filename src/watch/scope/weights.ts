import type { ForeignLayer, ForeignModel, ForeignTensor, ForeignVariable } from '../preload/foreign.js';

interface Group {
  readonly layer: string;
  readonly variables: readonly ForeignVariable[];
}

const sumOfSquares = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] * values[i];
  return sum;
};

/** The weights of one training by layer, with their values at the start. */
export class Weights {
  readonly starts: ReadonlyMap<ForeignVariable, Float32Array>;
  readonly set: ReadonlySet<ForeignVariable>;
  private readonly names: ReadonlyMap<string, string>;

  constructor(readonly groups: readonly Group[]) {
    const all = groups.flatMap(({ variables }) => variables);
    this.starts = new Map(all.map((v) => [v, Float32Array.from(v.dataSync())]));
    this.set = new Set(all);
    this.names = new Map(groups.flatMap(({ layer, variables }) => variables.map((v) => [v.name, layer])));
  }

  get layers(): readonly string[] {
    return this.groups.map(({ layer }) => layer);
  }

  get size(): number {
    let size = 0;
    for (const { length } of this.starts.values()) size += length;
    return size;
  }

  /** |w - w_0| / |w_0| of each layer and of all; not divided where the start is zero. */
  movement(): { readonly layers: Readonly<Record<string, number>>; readonly total: number } {
    const layers: Record<string, number> = {};
    let [all, start] = [0, 0];
    for (const { layer, variables } of this.groups) {
      let [moved, norm] = [0, 0];
      for (const variable of variables) {
        const now = variable.dataSync();
        const from = this.starts.get(variable) as Float32Array;
        for (let i = 0; i < from.length; i++) moved += (now[i] - from[i]) ** 2;
        norm += sumOfSquares(from);
      }
      layers[layer] = Math.sqrt(moved) / (Math.sqrt(norm) || 1);
      all += moved;
      start += norm;
    }
    return { layers, total: Math.sqrt(all) / (Math.sqrt(start) || 1) };
  }

  /** L2 norms of the gradients of each layer and of all. */
  gradientNorms(gradients: readonly (readonly [string, ForeignTensor])[]): Record<string, number> {
    const squares: Record<string, number> = {};
    let all = 0;
    for (const [name, gradient] of gradients) {
      const layer = this.names.get(name);
      if (layer === undefined || gradient.isDisposed) continue;
      const square = sumOfSquares(gradient.dataSync());
      squares[layer] = (squares[layer] ?? 0) + square;
      all += square;
    }
    const norms: Record<string, number> = { gradientNorm: Math.sqrt(all) };
    for (const [layer, square] of Object.entries(squares)) norms[`gradientNorm.${layer}`] = Math.sqrt(square);
    return norms;
  }

  /** Runs `work` with the weights at their start, and puts them back. Inside of a tidy. */
  atStart<T>(tensor: (values: Float32Array, like: ForeignVariable) => ForeignTensor, work: () => T): T {
    const own = [...this.set].map((variable) => [variable, variable.clone()] as const);
    try {
      for (const [variable, values] of this.starts) variable.assign(tensor(values, variable));
      return work();
    } finally {
      for (const [variable, value] of own) variable.assign(value);
    }
  }
}

/** Weights of a model by layer, of those that train. Those inside wrappers and nested models go by the layer that holds them. */
export function weightsOfModel(model: ForeignModel, trained: ReadonlySet<ForeignVariable>): Weights {
  const seen = new Set<ForeignVariable>();
  const groups: Group[] = [];
  const visit = (layer: ForeignLayer): void => {
    if (layer.layers) {
      layer.layers.forEach(visit);
      return;
    }
    const variables = layer.weights
      .map((weight) => weight.read())
      .filter((variable) => trained.has(variable) && !seen.has(variable));
    for (const variable of variables) seen.add(variable);
    if (variables.length > 0) groups.push({ layer: layer.name, variables });
  };
  model.layers.forEach(visit);
  return new Weights(groups);
}

/** Variables without a model: a layer is what stands before the last slash of their names. */
export function weightsOfVariables(variables: readonly ForeignVariable[]): Weights {
  const groups = new Map<string, ForeignVariable[]>();
  for (const variable of variables) {
    const layer = variable.name.includes('/')
      ? variable.name.slice(0, variable.name.lastIndexOf('/'))
      : variable.name;
    groups.set(layer, [...(groups.get(layer) ?? []), variable]);
  }
  return new Weights([...groups].map(([layer, members]) => ({ layer, variables: members })));
}
