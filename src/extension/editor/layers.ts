import type { ScannedCall, ScannedExport } from '../../experiment/scan.js';
import type { Inspection } from '../../protocol/trainerWire.js';

export type InspectedLayer = Inspection['layers'][number];

/** Calls that make no layer with weights, by name. */
const weightless =
  /^(activation|leakyReLU|reLU|elu|softmax|thresholdedReLU|flatten|dropout|alphaDropout|gaussian\w+|reshape|.*Pooling.*|inputLayer|input|add|average|maximum|minimum|multiply|dot|concatenate|permute|repeatVector|masking|zeroPadding.*|cropping.*|upSampling.*)$/i;

/** Layers with weights, in the order of the model. */
export const weightedLayers = (inspection: Inspection | undefined): readonly InspectedLayer[] =>
  inspection?.layers.filter((layer) => layer.parameters > 0) ?? [];

/**
 * The call in the text that made each layer, when they can be told apart: all layers in a row, else those with weights.
 * Empty where the text makes them otherwise (a loop, a helper of its own).
 */
export function layerCalls(
  found: ScannedExport,
  inspection: Inspection | undefined,
): ReadonlyMap<string, ScannedCall> {
  const pair = (calls: readonly ScannedCall[], layers: readonly InspectedLayer[]) =>
    calls.length === layers.length && calls.length > 0
      ? new Map(layers.map((layer, i) => [layer.name, calls[i]]))
      : null;
  const made = inspection?.layers.filter((layer) => layer.type !== 'InputLayer') ?? [];
  return (
    pair(
      found.layers.filter((call) => !/^input/.test(call.name)),
      made,
    ) ??
    pair(
      found.layers.filter((call) => !weightless.test(call.name)),
      weightedLayers(inspection),
    ) ??
    new Map()
  );
}
