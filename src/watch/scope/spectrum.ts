import { spectral } from '../../core/linalg/eigen.js';
import { type Matrix, matrixFrom } from '../../core/linalg/matrix.js';
import { noiseFloor } from '../../core/linalg/spectrum.js';
import { relativeDrift, targetAlignment } from '../../core/measures/kernel.js';
import type { EmpiricalKernel } from '../../network/kernel/index.js';
import type { Snapshot, SnapshotName } from '../../protocol/records.js';

/** Eigenvectors that are kept of a kernel. */
const keptVectors = 8;

export interface Spectrum {
  readonly snapshots: readonly Snapshot[];
  readonly values: Readonly<Record<string, number>>;
  readonly drift: number;
}

/** What a sequence of kernels on the same inputs says: spectra, label energy where targets are known, drift. */
export class KernelCourse {
  private initial: Matrix | null = null;

  /** `targets` [N, O] or null; `layers` in the order of the run. */
  constructor(
    private readonly targets: Matrix | null,
    private readonly layers: readonly string[],
  ) {}

  look(kernel: EmpiricalKernel, step: number, time: number): Spectrum {
    const n = kernel.rows;
    const k = matrixFrom(n, n, kernel.data);
    this.initial ??= k;
    const y = this.targets ?? matrixFrom(n, 1, new Float64Array(n));
    const pass = spectral(k, y, { topVectors: Math.min(keptVectors, n) });
    const drift = relativeDrift(k, this.initial);
    const values: Record<string, number> = {
      drift,
      lambdaMax: pass.values[0],
      lambdaMin: pass.values[n - 1],
      ...(this.targets ? { alignment: targetAlignment(k, y) } : {}),
    };
    const snapshot = (
      name: SnapshotName,
      shape: readonly number[],
      data: Float32Array | Float64Array,
      more: Pick<Snapshot, 'noiseFloor'> = {},
    ): Snapshot => ({ kind: 'snapshot', name, step, time, shape, data, ...more });
    const snapshots = [
      snapshot('eigenvalues', [n], pass.values, { noiseFloor: noiseFloor(pass.values) }),
      snapshot('kernel', [n, n], kernel.data),
      snapshot('eigenvectors', [pass.vectors.rows, n], pass.vectors.data),
    ];
    if (this.targets) snapshots.push(snapshot('energy', [n], energies(pass.energy, y)));
    if (kernel.perLayer) {
      const all = trace(kernel.data, n) || 1;
      const shares = this.layers.map((layer) => trace(kernel.perLayer?.[layer] ?? [], n) / all);
      snapshots.push(snapshot('layerShare', [shares.length], Float64Array.from(shares)));
    }
    return { snapshots, values, drift };
  }
}

function trace(data: ArrayLike<number>, n: number): number {
  let sum = 0;
  if (data.length > 0) for (let i = 0; i < n; i++) sum += data[i * n + i];
  return sum;
}

/** Share of the label energy of each mode, all outputs together. */
function energies(energy: Matrix, y: Matrix): Float64Array {
  const total = y.data.reduce((sum, v) => sum + v * v, 0) || 1;
  const out = new Float64Array(energy.rows);
  for (let i = 0; i < energy.data.length; i++) out[Math.floor(i / energy.cols)] += energy.data[i] / total;
  return out;
}
