/**
 * The spectral pass (all eigenvalues, the label energy of every mode, the top 50 vectors) against numpy.linalg.eigh with
 * vectors, interleaved on the same matrices; medians and their ratio.
 *
 *   npx esbuild test/bench/spectral.ts --bundle --platform=node --format=esm --outfile=out/spectral.mjs
 *   node out/spectral.mjs --python python3 [--sizes 512,1024,2048] [--rounds 7] [--json]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { eigenvalues, spectral } from '../../src/core/linalg/eigen.js';
import { type Matrix, matrix } from '../../src/core/linalg/matrix.js';
import { Random } from '../../src/core/random.js';
import { median } from '../../src/core/stats/index.js';

const { values: options } = parseArgs({
  options: {
    python: { type: 'string' },
    sizes: { type: 'string', default: '512,1024,2048' },
    rounds: { type: 'string', default: '7' },
    json: { type: 'boolean', default: false },
  },
});

/** Answers one line of seconds a line "size vectors"; builds the same Gaussian kernel from the points sent first. */
const peer = `
import sys, time, numpy as np
points = {}
for line in sys.stdin:
    word, n, rest = line.split(' ', 2)
    n = int(n)
    if word == 'points':
        x = np.array([float(v) for v in rest.split(',')]).reshape(n, -1)
        q = (x * x).sum(1)
        points[n] = np.exp(-(q[:, None] + q[None, :] - 2 * x @ x.T) / 40)
        np.linalg.eigh(points[n][:64, :64])
        print(0, flush=True)
        continue
    start = time.perf_counter()
    np.linalg.eigh(points[n]) if word == 'eigh' else np.linalg.eigvalsh(points[n])
    print(time.perf_counter() - start, flush=True)
`;

class Peer {
  private readonly child: ChildProcess;
  private readonly lines: AsyncIterator<string>;

  constructor(python: string) {
    this.child = spawn(python, ['-c', peer], { stdio: ['pipe', 'pipe', 'inherit'] });
    if (!this.child.stdout) throw new Error(`${python} gives no output.`);
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  /** Milliseconds that the peer measured. */
  async ask(line: string): Promise<number> {
    this.child.stdin?.write(`${line}\n`);
    const { value, done } = await this.lines.next();
    if (done) throw new Error('The Python process ended; does it have numpy?');
    return 1000 * Number(value);
  }

  close(): void {
    this.child.stdin?.end();
  }
}

const dimensions = 20;

function kernelOf(points: Float64Array, n: number): Matrix {
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

function timed(run: () => unknown): number {
  const start = performance.now();
  run();
  return performance.now() - start;
}

const numpy = options.python ? new Peer(options.python) : undefined;
const results: Record<string, number>[] = [];
for (const n of options.sizes.split(',').map(Number)) {
  const random = new Random(n);
  const points = random.normals(n * dimensions);
  const k = kernelOf(points, n);
  const y = matrix(n, 1, random.normals(n));
  await numpy?.ask(`points ${n} ${Array.from(points).join(',')}`);
  const times = {
    spectral: [] as number[],
    values: [] as number[],
    eigh: [] as number[],
    eigvalsh: [] as number[],
  };
  // One round first, not counted: both sides compile and touch their memory.
  for (let round = 0; round <= Number(options.rounds); round++) {
    const row = {
      spectral: timed(() => spectral(k, y, { topVectors: 50 })),
      eigh: (await numpy?.ask(`eigh ${n} -`)) ?? Number.NaN,
      values: timed(() => eigenvalues(k)),
      eigvalsh: (await numpy?.ask(`eigvalsh ${n} -`)) ?? Number.NaN,
    };
    if (round > 0)
      for (const name of Object.keys(times) as (keyof typeof times)[]) times[name].push(row[name]);
  }
  const result = {
    size: n,
    spectral: median(times.spectral),
    values: median(times.values),
    numpyEigh: median(times.eigh),
    numpyEigvalsh: median(times.eigvalsh),
    ratio: median(times.spectral) / median(times.eigh),
  };
  results.push(result);
  if (!options.json)
    console.log(
      Object.entries(result)
        .map(
          ([name, value]) => `${name} ${name === 'size' ? value : value.toFixed(name === 'ratio' ? 2 : 1)}`,
        )
        .join('  '),
    );
}
if (options.json) console.log(JSON.stringify({ unit: 'ms', results }));
numpy?.close();
