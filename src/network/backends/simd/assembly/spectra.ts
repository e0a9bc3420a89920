import { rankTwoUpdate, symmetricProduct } from '../../../../core/linalg/wasm/assembly/tridiagonalise';
import { address, integer } from './control';

/** A part of a product of a symmetric float64 matrix: a, its stride, v, w, bytes from part to part of w, first, n, parts. */
export function symmetricTask(task: i32): void {
  const w = address(3) + <usize>task * address(4);
  symmetricProduct(address(0), address(1), address(2), w, integer(5), integer(6), task, integer(7));
}

/** A part of a symmetric update of rank two `width`: a, its stride, packed panel, width, first, n, parts. */
export function updateTask(task: i32): void {
  rankTwoUpdate(
    address(0), address(1), address(2), integer(3), integer(4), integer(5), task, integer(6),
  );
}

/** w = the sum of the parts of a product, n entries from `first` on, which is a multiple of 4 as n is. */
export function gather(parts: usize, stride: usize, count: i32, w: usize, first: i32, n: i32): void {
  for (let i = first; i < n; i += 2) {
    const at = (<usize>i) << 3;
    let sum = v128.load(parts + at);
    for (let p = 1; p < count; p++) sum = f64x2.add(sum, v128.load(parts + <usize>p * stride + at));
    v128.store(w + at, sum);
  }
}
