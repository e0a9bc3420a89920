export { convolve, type Shape } from './convolution.js';
export { padded } from './filters.js';
export { type GramPart, gramOf, type Range } from './gram.js';
export { descend, type RunLayer, type RunResult, sampleBytes, type Top } from './network.js';
export type { Operand } from './operand.js';
export { multiply } from './product.js';
export { spectraOnThreads, tridiagonaliseOn } from './spectra.js';
export { Threads, threadCount, threads } from './threads.js';
