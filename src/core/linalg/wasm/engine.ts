import {
  type Engine,
  maximumSweeps,
  powerOfTwoScale,
  type Reduction,
  reverseInPlace,
  runsDownward,
} from '../engine.js';
import type { Matrix } from '../matrix.js';
import { binary } from './binary.js';
import { type Exports, fromBase64, webAssembly } from './platform.js';

const page = 65536;
/** An idle instance is kept for the next kernel unless its memory is larger: WebAssembly memory never shrinks. */
const keptBytes = 48 * 1024 * 1024;
const panelWidth = 16;
/** Rotations held back before they are applied: a strip of the block then stays cached over many sweeps. */
const rotationBytes = 512 * 1024;

/** A symmetric matrix that is to be brought to tridiagonal form, with room for the result. */
export interface Tridiagonalisation {
  readonly n: number;
  /** Rows of `leading` float64, their number the next multiple of 4: upper triangle in, reflectors out. */
  readonly matrix: Float64Array;
  readonly leading: number;
  /** Columns that are worked on between two updates of the rest. */
  readonly width: number;
  /** [n]. */
  readonly diagonal: Float64Array;
  readonly offDiagonal: Float64Array;
  readonly tau: Float64Array;
}

/** From this size on several threads are worth the copies that they cost. */
const threadsFrom = 640;

let several: ((job: Tridiagonalisation) => boolean) | null = null;

/** Hands large matrices to `work`, which answers whether it has done them; null takes them back. Core knows no threads. */
export function tridiagonaliseWith(work: ((job: Tridiagonalisation) => boolean) | null): void {
  several = work;
}

let module: object | undefined;
let idle: Exports | undefined;

function instance(): Exports {
  const kept = idle;
  idle = undefined;
  if (kept) return kept;
  const wasm = webAssembly();
  if (!wasm) throw new Error('This platform has no WebAssembly.');
  module ??= new wasm.Module(fromBase64(binary));
  return new wasm.Instance(module).exports as Exports;
}

function reserve(exports: Exports, bytes: number, n: number): void {
  const missing = bytes - exports.memory.buffer.byteLength;
  if (missing <= 0) return;
  try {
    exports.memory.grow(Math.ceil(missing / page));
  } catch {
    throw new RangeError(
      `A kernel of size ${n} needs ${Math.ceil(bytes / 2 ** 20)} MiB for its spectrum, which cannot be had. ` +
        'Use fewer probe inputs, or ask for the top eigenpairs only.',
    );
  }
}

/** Whether the platform runs the module (WebAssembly with fixed-width SIMD). */
export function wasmSupported(): boolean {
  const wasm = webAssembly();
  return wasm?.validate(fromBase64(binary)) ?? false;
}

class WasmReduction implements Reduction {
  readonly n: number;
  readonly scale: number;
  readonly diagonal: Float64Array;
  readonly offDiagonal: Float64Array;
  private readonly exports = instance();
  /** Float64 values in a row; the padding keeps rows of a power of two apart in the cache. */
  private readonly leading: number;
  private readonly matrixAt = page;
  private readonly tauAt: number;
  private readonly scratchAt: number;

  constructor(k: Matrix, largest: number) {
    const n = k.rows;
    const padded = (n + 3) & ~3;
    this.n = n;
    this.leading = padded + 8;
    this.scale = powerOfTwoScale(largest);
    const stride = this.leading * 8;
    const dAt = this.matrixAt + padded * stride;
    const eAt = dAt + padded * 8;
    this.tauAt = eAt + padded * 8;
    this.scratchAt = this.tauAt + padded * 8 + 64;
    const packAt = this.scratchAt + panelWidth * stride;
    reserve(this.exports, packAt + (padded / 4) * panelWidth * 64, n);
    this.copyUpper(k, padded);
    this.view(dAt, 3 * padded).fill(0);
    this.view(this.scratchAt, panelWidth * this.leading).fill(0);
    const job = () => ({
      n,
      matrix: this.view(this.matrixAt, padded * this.leading),
      leading: this.leading,
      width: panelWidth,
      diagonal: this.view(dAt, n),
      offDiagonal: this.view(eAt, n),
      tau: this.view(this.tauAt, n),
    });
    if (n > 0 && !(n >= threadsFrom && several?.(job())))
      this.exports.tridiagonalise(
        this.matrixAt,
        stride,
        n,
        panelWidth,
        dAt,
        eAt,
        this.tauAt,
        this.scratchAt,
        packAt,
      );
    this.diagonal = this.view(dAt, n).slice();
    this.offDiagonal = this.view(eAt, n).slice();
  }

  /** The upper triangle by blocks of four, divided by the scale; inside the diagonal blocks it serves both sides. */
  private copyUpper(k: Matrix, padded: number): void {
    const { n, leading } = this;
    const a = this.view(this.matrixAt, padded * leading);
    const inverse = this.scale === 0 ? 0 : 1 / this.scale;
    for (let i = 0; i < padded; i++) {
      const block = i & ~3;
      const to = i * leading;
      a.fill(0, to + (i < n ? n : 0), to + leading);
      if (i >= n) continue;
      a.set(k.data.subarray(i * n + i, (i + 1) * n), to + i);
      if (inverse !== 1) for (let j = i; j < n; j++) a[to + j] *= inverse;
      for (let j = block; j < i; j++) a[to + j] = a[j * leading + i];
    }
  }

  private view(at: number, length: number): Float64Array {
    return new Float64Array(this.exports.memory.buffer, at, length);
  }

  applyQ(rows: Float64Array, count: number, transposed: boolean): void {
    const { n, leading } = this;
    const group = Math.min(4 * Math.ceil(count / 4), 4096);
    reserve(this.exports, this.scratchAt + group * leading * 8, n);
    for (let start = 0; start < count; start += group) {
      const present = Math.min(group, count - start);
      const scratch = this.view(this.scratchAt, group * leading);
      scratch.fill(0);
      for (let r = 0; r < present; r++)
        scratch.set(rows.subarray((start + r) * n, (start + r + 1) * n), r * leading);
      const used = 4 * Math.ceil(present / 4);
      this.exports.applyReflectors(
        this.matrixAt,
        leading * 8,
        n,
        this.tauAt,
        this.scratchAt,
        used,
        transposed ? 1 : 0,
      );
      for (let r = 0; r < present; r++)
        rows.set(scratch.subarray(r * leading, r * leading + n), (start + r) * n);
    }
  }

  diagonalise(block?: Float64Array, width = 0): Float64Array {
    const { n } = this;
    const d = this.diagonal.slice();
    const e = this.offDiagonal.slice();
    const columns = block ? (width + 1) & ~1 : 0;
    if (runsDownward(d)) reverseInPlace(d, e, block, width);
    const leading = columns > 8 ? columns + 8 : columns;
    const eAt = this.scratchAt + n * 8;
    const bufferAt = 64 * Math.ceil((eAt + n * 8) / 64);
    const capacity = Math.max(rotationBytes, 16 * n);
    const recordsAt = bufferAt + capacity;
    const blockAt = recordsAt + capacity / 2;
    reserve(this.exports, blockAt + n * leading * 8, n);
    this.view(this.scratchAt, n).set(d);
    this.view(eAt, n).set(e);
    const inside = this.view(blockAt, n * leading);
    if (block) {
      inside.fill(0);
      for (let i = 0; i < n; i++) inside.set(block.subarray(i * width, (i + 1) * width), i * leading);
    }
    const failed = this.exports.implicitQl(
      this.scratchAt,
      eAt,
      n,
      blockAt,
      leading * 8,
      columns,
      bufferAt,
      capacity,
      recordsAt,
      maximumSweeps,
    );
    if (failed) throw new Error('The QL iteration did not settle; the matrix has odd entries.');
    if (block)
      for (let i = 0; i < n; i++) block.set(inside.subarray(i * leading, i * leading + width), i * width);
    return this.view(this.scratchAt, n).slice();
  }

  release(): void {
    if (this.exports.memory.buffer.byteLength <= keptBytes) idle = this.exports;
  }
}

export const wasmEngine: Engine = {
  name: 'wasm',
  reduce: (k, largest) => new WasmReduction(k, largest),
};
