import { Random } from '../random.js';

/**
 * LU factors with partial pivoting of T - shift I for a tridiagonal T; the classic scheme of LAPACK's dlagtf. A pivot
 * that vanishes is replaced by `tiny`, which is what makes inverse iteration at an exact eigenvalue work.
 */
class ShiftedFactor {
  private readonly pivot: Float64Array;
  private readonly above: Float64Array;
  private readonly above2: Float64Array;
  private readonly lower: Float64Array;
  private readonly swapped: Uint8Array;

  constructor(
    private readonly d: Float64Array,
    private readonly e: Float64Array,
  ) {
    const n = d.length;
    this.pivot = new Float64Array(n);
    this.above = new Float64Array(n);
    this.above2 = new Float64Array(n);
    this.lower = new Float64Array(n);
    this.swapped = new Uint8Array(n);
  }

  factorise(shift: number, tiny: number): void {
    const { d, e, pivot, above, above2, lower, swapped } = this;
    const n = d.length;
    let diagonal = d[0] - shift;
    let right = n > 1 ? e[0] : 0;
    for (let i = 0; i < n - 1; i++) {
      const below = e[i];
      const nextDiagonal = d[i + 1] - shift;
      const nextRight = i + 1 < n - 1 ? e[i + 1] : 0;
      if (Math.abs(diagonal) >= Math.abs(below)) {
        if (Math.abs(diagonal) < tiny) diagonal = diagonal < 0 ? -tiny : tiny;
        const f = below / diagonal;
        swapped[i] = 0;
        lower[i] = f;
        pivot[i] = diagonal;
        above[i] = right;
        above2[i] = 0;
        diagonal = nextDiagonal - f * right;
        right = nextRight;
      } else {
        const f = diagonal / below;
        swapped[i] = 1;
        lower[i] = f;
        pivot[i] = below;
        above[i] = nextDiagonal;
        above2[i] = nextRight;
        diagonal = right - f * nextDiagonal;
        right = -f * nextRight;
      }
    }
    if (Math.abs(diagonal) < tiny) diagonal = diagonal < 0 ? -tiny : tiny;
    pivot[n - 1] = diagonal;
  }

  solve(x: Float64Array): void {
    const { pivot, above, above2, lower, swapped } = this;
    const n = x.length;
    for (let i = 0; i < n - 1; i++) {
      if (swapped[i]) {
        const t = x[i];
        x[i] = x[i + 1];
        x[i + 1] = t - lower[i] * x[i];
      } else x[i + 1] -= lower[i] * x[i];
    }
    x[n - 1] /= pivot[n - 1];
    if (n > 1) x[n - 2] = (x[n - 2] - above[n - 2] * x[n - 1]) / pivot[n - 2];
    for (let i = n - 3; i >= 0; i--) x[i] = (x[i] - above[i] * x[i + 1] - above2[i] * x[i + 2]) / pivot[i];
  }
}

function normalise(x: Float64Array): void {
  let largest = 0;
  for (let i = 0; i < x.length; i++) largest = Math.max(largest, Math.abs(x[i]));
  let s = 0;
  for (let i = 0; i < x.length; i++) {
    x[i] /= largest;
    s += x[i] * x[i];
  }
  const inverse = 1 / Math.sqrt(s);
  for (let i = 0; i < x.length; i++) x[i] *= inverse;
}

/**
 * x -= (its projection on the orthonormal rows [from, to) of length n), by classical Gram-Schmidt in groups of four: to
 * be called twice, since one pass may leave what cancellation brought back (Parlett).
 */
function removeRows(x: Float64Array, rows: Float64Array, from: number, to: number): void {
  const n = x.length;
  let p = from;
  for (; p + 3 < to; p += 4) {
    const a = p * n;
    const b = a + n;
    const c = b + n;
    const d = c + n;
    let sa = 0;
    let sb = 0;
    let sc = 0;
    let sd = 0;
    for (let i = 0; i < n; i++) {
      const value = x[i];
      sa += value * rows[a + i];
      sb += value * rows[b + i];
      sc += value * rows[c + i];
      sd += value * rows[d + i];
    }
    for (let i = 0; i < n; i++)
      x[i] -= sa * rows[a + i] + sb * rows[b + i] + sc * rows[c + i] + sd * rows[d + i];
  }
  for (; p < to; p++) {
    const a = p * n;
    let s = 0;
    for (let i = 0; i < n; i++) s += x[i] * rows[a + i];
    for (let i = 0; i < n; i++) x[i] -= s * rows[a + i];
  }
}

function residual(d: Float64Array, e: Float64Array, value: number, x: Float64Array): number {
  const n = d.length;
  let s = 0;
  for (let i = 0; i < n; i++) {
    let r = (d[i] - value) * x[i];
    if (i > 0) r += e[i - 1] * x[i - 1];
    if (i < n - 1) r += e[i] * x[i + 1];
    s += r * r;
  }
  return Math.sqrt(s);
}

/**
 * Unit eigenvectors of the tridiagonal matrix (d, e) for the given eigenvalues in descending order, as rows [k, n], by
 * inverse iteration; eigenvalues nearer than 1e-3 |T| share a cluster in which vectors are orthogonalised against each
 * other (Peters and Wilkinson 1979, LAPACK dstein). Null when a residual stays above a few n eps |T|; the caller then
 * takes the slower way.
 */
export function tridiagonalVectors(
  d: Float64Array,
  e: Float64Array,
  values: ArrayLike<number>,
  count: number,
): Float64Array | null {
  const n = d.length;
  let norm = 0;
  for (let i = 0; i < n; i++)
    norm = Math.max(
      norm,
      Math.abs(d[i]) + (i > 0 ? Math.abs(e[i - 1]) : 0) + (i < n - 1 ? Math.abs(e[i]) : 0),
    );
  if (norm === 0) norm = 1;
  const tiny = Number.EPSILON * norm;
  const good = 4 * Math.sqrt(n) * Number.EPSILON * norm;
  const random = new Random('inverse iteration');
  const rows = new Float64Array(count * n);
  const factor = new ShiftedFactor(d, e);
  let clusterStart = 0;
  let shift = Number.POSITIVE_INFINITY;
  for (let k = 0; k < count; k++) {
    if (k > 0 && values[k - 1] - values[k] > 1e-3 * norm) clusterStart = k;
    // Equal eigenvalues get slightly different shifts, so that their vectors start towards different directions.
    shift = k > clusterStart ? Math.min(values[k], shift - 4 * tiny) : values[k];
    factor.factorise(shift, tiny);
    const x = rows.subarray(k * n, (k + 1) * n);
    for (let i = 0; i < n; i++) x[i] = random.uniform() - 0.5;
    let settled = false;
    for (let round = 0; round < 6 && !settled; round++) {
      factor.solve(x);
      normalise(x);
      // In the first round a single pass is enough to keep the cluster's other vectors small.
      for (let pass = 0; pass < (round === 0 ? 1 : 2); pass++) removeRows(x, rows, clusterStart, k);
      if (k > clusterStart) normalise(x);
      settled = round > 0 && residual(d, e, values[k], x) <= good + Math.abs(shift - values[k]);
    }
    if (!settled) return null;
  }
  return rows;
}
