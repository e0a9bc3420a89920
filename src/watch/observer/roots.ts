import type { CopiedTensor, ForeignModel, ForeignVariable } from '../preload/foreign.js';
import type { Call } from '../preload/hooks.js';
import { everyLayer } from '../scope/aside.js';

export interface Root {
  readonly model: ForeignModel;
  readonly inputs: readonly CopiedTensor[] | null;
  readonly trained: ReadonlySet<ForeignVariable>;
}

/**
 * The models that a step trains: of those that were called while its gradients were taken, the outermost with weights that
 * are updated. Nested models and target networks fall away.
 */
export function rootsOf(calls: readonly Call[], updated: ReadonlySet<ForeignVariable>): readonly Root[] {
  const inside = new Set(calls.flatMap(({ model }) => everyLayer(model).filter((layer) => layer !== model)));
  return calls
    .filter(({ model }) => !inside.has(model))
    .map(({ model, inputs }) => {
      const own = everyLayer(model).flatMap((layer) =>
        (Array.isArray(layer.weights) ? layer.weights : []).map((weight) => weight.read()),
      );
      return { model, inputs, trained: new Set(own.filter((variable) => updated.has(variable))) };
    })
    .filter(({ trained }) => trained.size > 0);
}
