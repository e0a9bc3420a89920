import type { CopiedTensor, ForeignTensor, ForeignVariable, TapeNode } from './foreign.js';

export const copyOf = (t: ForeignTensor): CopiedTensor => ({
  shape: [...t.shape],
  dtype: t.dtype,
  values: (t.dataSync() as Float32Array).slice(),
});

/** Numbers of the tensors that a model is called on; null for symbolic ones. */
export function copied(inputs: unknown): readonly CopiedTensor[] | null {
  const list = (Array.isArray(inputs) ? inputs : [inputs]) as ForeignTensor[];
  if (!list.every((t) => typeof t?.dataSync === 'function' && t.size > 0)) return null;
  return list.map(copyOf);
}

/** Batches that are copied at most, in numbers of a tensor. */
const largest = 2 ** 24;

/**
 * The tensors that a recorded computation starts from, in the order in which they are first used: what no operation made and
 * what is no variable. Scalars and the like are constants.
 */
export function leavesOf(tape: readonly TapeNode[]): readonly CopiedTensor[] {
  const made = new Set<number>();
  const found = new Map<number, ForeignTensor>();
  for (const { inputs, outputs } of tape) {
    for (const tensor of Object.values(inputs)) {
      if (!tensor || made.has(tensor.id) || found.has(tensor.id) || tensor.isDisposed) continue;
      const variable = 'assign' in (tensor as Partial<ForeignVariable>);
      const batch = tensor.shape.length > 0 && tensor.size > 1 && tensor.size <= largest;
      if (!variable && batch && tensor.dtype !== 'string') found.set(tensor.id, tensor);
    }
    for (const tensor of outputs) made.add(tensor.id);
  }
  return [...found.values()].map(copyOf);
}
