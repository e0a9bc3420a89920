export { type GramPart, gramOf, type Range } from './gram.js';
export type { Operand } from './operand.js';
export { multiply } from './product.js';
export { Threads, threads } from './threads.js';
