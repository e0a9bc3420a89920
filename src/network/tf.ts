/**
 * The one place TensorFlow.js comes from: the same names as the `@tensorflow/tfjs` union package, without its browser
 * backends. Model files that import '@tensorflow/tfjs' get this very module inside the trainer.
 */
// First, and its counterpart last.
import { restoreRandom } from './undisturbed.js';
import './chainedOps.js';

export * from '@tensorflow/tfjs-converter';
export * from '@tensorflow/tfjs-core';
export * as data from '@tensorflow/tfjs-data';
export * from '@tensorflow/tfjs-layers';

restoreRandom();
