import type { Architecture } from '../architectures.js';
import { convolutionModels } from './convolutions.js';
import { denseModels } from './dense.js';
import { imageModels } from './images.js';
import { normalizationModels } from './normalizations.js';
import { ownLayerModels } from './ownLayers.js';
import { recurrentModels } from './recurrent.js';
import { structureModels } from './structures.js';
import { volumeModels } from './volumes.js';

export { randomise } from './build.js';
export { type GridFunction, gridFunctions } from './functions.js';
export { straightThroughModel } from './ownLayers.js';

/** Every layer class of TensorFlow.js with its options, layers of one's own, and ways to put layers together. */
export const architectureGrid: readonly Architecture[] = [
  ...denseModels,
  ...convolutionModels,
  ...volumeModels,
  ...imageModels,
  ...normalizationModels,
  ...recurrentModels,
  ...structureModels,
  ...ownLayerModels,
];
