/**
 * TensorFlow.js's packages draw from Math.random when they are loaded. A program that seeded it must draw the same numbers
 * with and without us, so another generator stands in meanwhile: import this first, and call `restoreRandom` last.
 */
const own = Math.random;
let state = Date.now() >>> 0;

Math.random = () => {
  // Numerical Recipes' linear congruential generator: what seeds pools of entropy need not be better.
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
};
const meanwhile = Math.random;

export function restoreRandom(): void {
  if (Math.random === meanwhile) Math.random = own;
}
