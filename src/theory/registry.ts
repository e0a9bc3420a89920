import type { Claim } from './claim.js';
import { crossEntropyLeaves } from './claims/crossEntropyLeaves.js';
import { deepMeanFieldCollapse } from './claims/deepMeanFieldCollapse.js';
import { deepNtkFreezes } from './claims/deepNtkFreezes.js';
import { deepNtkLimit } from './claims/deepNtkLimit.js';
import { discretiseTime } from './claims/discretiseTime.js';
import { discretiseWidth } from './claims/discretiseWidth.js';
import { edgeOfStability } from './claims/edgeOfStability.js';
import { featuresBeatKernels } from './claims/featuresBeatKernels.js';
import { freeEnergy } from './claims/freeEnergy.js';
import { gaussianProcessInit } from './claims/gaussianProcessInit.js';
import { importancePruning } from './claims/importancePruning.js';
import { l2EqualisesImportance } from './claims/l2EqualisesImportance.js';
import { labelComplexity } from './claims/labelComplexity.js';
import { lazyAlpha } from './claims/lazyAlpha.js';
import { lazyWidth } from './claims/lazyWidth.js';
import { linearisedTwin } from './claims/linearisedTwin.js';
import { lossBound } from './claims/lossBound.js';
import { maxStep } from './claims/maxStep.js';
import { mixtureConvex } from './claims/mixtureConvex.js';
import { modeRates } from './claims/modeRates.js';
import { noiseUniqueOptimum } from './claims/noiseUniqueOptimum.js';
import { particlesFindTeacher } from './claims/particlesFindTeacher.js';
import { randomFeaturesKernel } from './claims/randomFeaturesKernel.js';
import { repopulatedFeatures } from './claims/repopulatedFeatures.js';
import { residualFeatureFlow } from './claims/residualFeatureFlow.js';
import { richAnyWidth } from './claims/richAnyWidth.js';
import { targetGetsCheap } from './claims/targetGetsCheap.js';
import { widthBuysFit } from './claims/widthBuysFit.js';
import { widthTransfer } from './claims/widthTransfer.js';

/** Every claim, in the order of the survey's themes. */
export const claims: readonly Claim[] = [
  lazyWidth,
  lazyAlpha,
  richAnyWidth,
  modeRates,
  lossBound,
  maxStep,
  linearisedTwin,
  randomFeaturesKernel,
  gaussianProcessInit,
  widthBuysFit,
  featuresBeatKernels,
  particlesFindTeacher,
  l2EqualisesImportance,
  discretiseWidth,
  discretiseTime,
  labelComplexity,
  targetGetsCheap,
  mixtureConvex,
  noiseUniqueOptimum,
  freeEnergy,
  deepNtkFreezes,
  deepNtkLimit,
  deepMeanFieldCollapse,
  residualFeatureFlow,
  edgeOfStability,
  crossEntropyLeaves,
  widthTransfer,
  repopulatedFeatures,
  importancePruning,
];
