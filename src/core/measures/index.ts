export * from './entropy.js';
export * from './kernel.js';
export * from './labels.js';
export * from './neurons.js';
export * from './pca.js';
export * from './regimeBars.js';
export * from './wasserstein.js';
