import { eigenvalues, spectral } from '../core/linalg/eigen.js';
import { type Matrix, matrix } from '../core/linalg/matrix.js';
import { Random } from '../core/random.js';
import { Peer, type Timing } from './peer.js';
import { rest, summary, timed } from './timing.js';

export interface SpectralOptions {
  readonly sizes: readonly number[];
  /** A Python with numpy. */
  readonly python?: string;
  /** Script that answers for it. */
  readonly script: string;
  readonly rounds: number;
  readonly onProgress?: (fraction: number, text: string) => void;
}

interface Times {
  /** Median and least milliseconds, and least processor time of all threads. */
  readonly ms: number;
  readonly fastestMs: number;
  readonly cpuMs: number;
}

export interface SpectralResult {
  readonly size: number;
  /** All eigenvalues, the label energy of every mode and the top 50 vectors, in float64. */
  readonly spectral: Times;
  /** Eigenvalues alone. */
  readonly values: Times;
  /** numpy.linalg.eigh with vectors and numpy.linalg.eigvalsh; null without numpy. */
  readonly eigh: Times | null;
  readonly eigvalsh: Times | null;
  /** Ours over eigh with vectors: at most 1 where ours is no slower. By medians, fastest rounds, processor time. */
  readonly ratio: number | null;
  readonly fastestRatio: number | null;
  readonly cpuRatio: number | null;
}

export interface SpectralReport {
  readonly numpy: string | null;
  /** Why there is no comparison. */
  readonly missing: string | null;
  readonly results: readonly SpectralResult[];
}

const topVectors = 50;
const dimensions = 20;

/** Times the spectral pass on Gaussian kernels of random points, interleaved with numpy on the same matrices. */
export async function benchSpectral(options: SpectralOptions): Promise<SpectralReport> {
  const peer = options.python ? new Peer(options.python, options.script, 'numpy') : null;
  try {
    const loaded = await peer?.load();
    const missing = typeof loaded === 'string' ? loaded : null;
    const numpy = missing === null ? peer : null;
    const results: SpectralResult[] = [];
    for (const [k, size] of options.sizes.entries()) {
      const tell = (round: number) =>
        options.onProgress?.((k + round / (options.rounds + 1)) / options.sizes.length, `${size} x ${size}`);
      results.push(await benchSize(size, numpy, options.rounds, tell));
    }
    const version = typeof loaded === 'object' ? loaded['eigh'] : null;
    return { numpy: version, missing, results };
  } finally {
    peer?.close();
  }
}

async function benchSize(
  size: number,
  numpy: Peer | null,
  rounds: number,
  tell: (round: number) => void,
): Promise<SpectralResult> {
  const random = new Random(size);
  const points = random.normals(size * dimensions);
  const k = gaussianKernel(points, size);
  const y = matrix(size, 1, random.normals(size));
  await numpy?.give({
    do: 'points',
    points: Array.from({ length: size }, (_, i) =>
      Array.from(points.subarray(i * dimensions, (i + 1) * dimensions)),
    ),
  });
  const own = { spectral: [] as Timing[], values: [] as Timing[] };
  const theirs = { eigh: [] as Timing[], eigvalsh: [] as Timing[] };
  // One round first that does not count: both sides compile and touch their memory.
  for (let round = 0; round <= rounds; round++) {
    tell(round);
    await rest();
    const pass = await timed(async () => void spectral(k, y, { topVectors }), own.spectral.at(-1));
    await rest();
    const vectors = await numpy?.give<Timing>({ do: 'run', method: 'eigh' });
    await rest();
    const values = await timed(async () => void eigenvalues(k), own.values.at(-1));
    await rest();
    const valuesOnly = await numpy?.give<Timing>({ do: 'run', method: 'eigvalsh' });
    if (round === 0) continue;
    own.spectral.push(pass);
    own.values.push(values);
    if (vectors) theirs.eigh.push(vectors);
    if (valuesOnly) theirs.eigvalsh.push(valuesOnly);
  }
  const ours = summary(own.spectral);
  const eigh = theirs.eigh.length > 0 ? summary(theirs.eigh) : null;
  return {
    size,
    spectral: ours,
    values: summary(own.values),
    eigh,
    eigvalsh: theirs.eigvalsh.length > 0 ? summary(theirs.eigvalsh) : null,
    ratio: eigh && ours.ms / eigh.ms,
    fastestRatio: eigh && ours.fastestMs / eigh.fastestMs,
    cpuRatio: eigh && ours.cpuMs / eigh.cpuMs,
  };
}

function gaussianKernel(points: Float64Array, n: number): Matrix {
  const k = matrix(n, n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let s = 0;
      for (let c = 0; c < dimensions; c++)
        s += (points[i * dimensions + c] - points[j * dimensions + c]) ** 2;
      k.data[i * n + j] = k.data[j * n + i] = Math.exp(-s / 40);
    }
  return k;
}
