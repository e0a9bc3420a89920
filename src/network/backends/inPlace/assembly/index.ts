import { erf, exp, mostAngle, sine, softplus, tanh } from './functions';

export { columnSums } from './sums';

@inline
function apply(operation: i32, x: v128): v128 {
  if (operation == 0) return tanh(x);
  if (operation == 1) return exp(x);
  if (operation == 2) return erf(x);
  if (operation == 3) return softplus(x);
  return sine(x, operation - 4);
}

/** The last one to three numbers, without touching what lies behind them. */
function rest(operation: i32, from: usize, to: usize, count: i32): void {
  let x = f32x4.splat(load<f32>(from));
  if (count > 1) x = f32x4.replace_lane(x, 1, load<f32>(from, 4));
  if (count > 2) x = f32x4.replace_lane(x, 2, load<f32>(from, 8));
  const y = apply(operation, x);
  store<f32>(to, f32x4.extract_lane(y, 0));
  if (count > 1) store<f32>(to, f32x4.extract_lane(y, 1), 4);
  if (count > 2) store<f32>(to, f32x4.extract_lane(y, 2), 8);
}

/**
 * tanh (0), exp (1), erf (2), softplus (3), sin (4) or cos (5) of `count` float32 numbers. Answers whether all of them were
 * in the function's range; if not, the result is void.
 */
export function each(operation: i32, from: usize, to: usize, count: i32): bool {
  let largest = f32x4.splat(0);
  const end = from + ((<usize>(count & ~3)) << 2);
  // One loop an operation: the choice is not made for every number.
  if (operation == 0) for (; from < end; from += 16, to += 16) v128.store(to, tanh(v128.load(from)));
  else if (operation == 1) for (; from < end; from += 16, to += 16) v128.store(to, exp(v128.load(from)));
  else if (operation == 2) for (; from < end; from += 16, to += 16) v128.store(to, erf(v128.load(from)));
  else if (operation == 3) for (; from < end; from += 16, to += 16) v128.store(to, softplus(v128.load(from)));
  else
    for (; from < end; from += 16, to += 16) {
      const x = v128.load(from);
      largest = f32x4.max(largest, f32x4.abs(x));
      v128.store(to, sine(x, operation - 4));
    }
  const left = count & 3;
  if (left > 0) rest(operation, from, to, left);
  if (operation < 4) return true;
  for (let i = 0; i < left; i++) {
    const x = f32x4.splat(load<f32>(from + ((<usize>i) << 2)));
    largest = f32x4.max(largest, f32x4.abs(x));
  }
  // A NaN compares false, and the function of the library is asked.
  return i32x4.all_true(f32x4.le(largest, f32x4.splat(mostAngle)));
}
