import { empiricalKernel } from '../network/kernel/index.js';
import * as tf from '../network/tf.js';
import { operationsOf } from './operations.js';
import { Peer, type Timing } from './peer.js';
import { type BenchRow, describeRow, modelOf } from './rows.js';
import { rest, summary, timed, warmUp } from './timing.js';

export interface BenchOptions {
  readonly rows: readonly BenchRow[];
  /** A Python with PyTorch, neural-tangents or both. */
  readonly python?: string;
  /** Script that answers for them. */
  readonly script: string;
  readonly rounds: number;
  readonly onProgress?: (fraction: number, text: string) => void;
  readonly signal?: AbortSignal;
}

export interface BenchResult {
  readonly row: string;
  readonly what: string;
  /** Median milliseconds of our kernel, downloaded and whole. */
  readonly ms: number;
  readonly fastestMs: number;
  /** Least processor time, all threads: what other programs on the machine disturb least. */
  readonly cpuMs: number;
  readonly peakMB: number;
  /** Median milliseconds of a 1024 x 1024 product in the same rounds: this machine's own measure. */
  readonly matMulMs: number;
  readonly fastestMatMulMs: number;
  readonly matMulCpuMs: number;
  readonly inMatMuls: number;
  /** Operations of the kernel, symmetric products counted once, in 1e9. */
  readonly gigaOperations: number;
  /** Rate of these over that of the product: by medians, by the fastest rounds, by processor time. */
  readonly ofMatMulRate: number;
  readonly fastestOfMatMulRate: number;
  readonly cpuOfMatMulRate: number;
  readonly peers: readonly PeerResult[];
}

export interface PeerResult {
  readonly method: string;
  readonly version: string;
  readonly ms: number | null;
  readonly fastestMs: number | null;
  readonly cpuMs: number | null;
  readonly peakMB: number | null;
  /** Its median time over ours, its fastest over ours, its processor time over ours. */
  readonly ratio: number | null;
  readonly fastestRatio: number | null;
  readonly cpuRatio: number | null;
  /** Share of the work that was measured, where the rest was reckoned from it; null for all. */
  readonly measuredShare: number | null;
  /** Why there is no time. */
  readonly skipped: string | null;
}

export interface BenchReport {
  readonly results: readonly BenchResult[];
  /** Libraries that could not be compared with, and why. */
  readonly missing: Readonly<Record<string, string>>;
}

const libraries = ['torch', 'neural-tangents'] as const;

/** A method this slow is measured once: more rounds would not change what it says. */
const onceAboveMs = 15_000;

interface Method {
  readonly name: string;
  readonly version: string;
  readonly peer: Peer;
}

/** Times empirical kernels, row by row, interleaved with the machine's own product and with the Python libraries. */
export async function benchKernels(options: BenchOptions): Promise<BenchReport> {
  const missing: Record<string, string> = {};
  const peers: Peer[] = [];
  const methods: Method[] = [];
  try {
    if (options.python)
      for (const library of libraries) {
        options.onProgress?.(0, `loading ${library}`);
        const peer = new Peer(options.python, options.script, library);
        peers.push(peer);
        const loaded = await peer.load();
        if (typeof loaded === 'string') missing[library] = loaded;
        else for (const [name, version] of Object.entries(loaded)) methods.push({ name, version, peer });
      }
    const results: BenchResult[] = [];
    for (const [k, row] of options.rows.entries()) {
      const tell = (round: number) =>
        options.onProgress?.((k + round / options.rounds) / options.rows.length, `row ${row.name}`);
      results.push(await benchRow(row, methods, options, tell));
    }
    return { results, missing };
  } finally {
    for (const peer of peers) peer.close();
  }
}

async function benchRow(
  row: BenchRow,
  methods: readonly Method[],
  options: BenchOptions,
  tell: (round: number) => void,
): Promise<BenchResult> {
  const model = modelOf(row);
  const x = tf.randomNormal([row.samples, ...row.shape], 0, 1, 'float32', 1);
  const square = tf.randomNormal<tf.Rank.R2>([1024, 1024], 0, 1, 'float32', 2);
  const product = () => tf.tidy(() => void tf.sum(tf.matMul(square, square)).dataSync());
  const kernel = async () => void (await empiricalKernel(model, x));
  const ours: Timing[] = [];
  const machine: Timing[] = [];
  const theirs = methods.map(() => ({ timings: [] as Timing[], skipped: null as string | null }));
  try {
    // Compilation and first allocations do not count; the peers do the same.
    product();
    await warmUp(kernel);
    for (let round = 0; round < options.rounds; round++) {
      options.signal?.throwIfAborted();
      tell(round);
      await rest();
      ours.push(await timed(kernel, ours.at(-1)));
      machine.push(await timed(async () => product(), machine.at(-1)));
      for (const [m, { name, peer }] of methods.entries()) {
        const { timings, skipped } = theirs[m];
        if (skipped !== null || (timings.length > 0 && timings[0].ms > onceAboveMs)) continue;
        await rest();
        const answer = await peer.time(name, row);
        if (typeof answer === 'string') theirs[m].skipped = answer;
        else timings.push(answer);
      }
    }
  } finally {
    model.dispose();
    tf.dispose([x, square]);
  }
  const [kernelTimes, productTimes] = [summary(ours), summary(machine)];
  const operations = operationsOf(row);
  const rate = (own: number, product: number) => (operations * product) / (own * 2 * 1024 ** 3);
  return {
    row: row.name,
    what: describeRow(row),
    ...kernelTimes,
    matMulMs: productTimes.ms,
    fastestMatMulMs: productTimes.fastestMs,
    matMulCpuMs: productTimes.cpuMs,
    inMatMuls: kernelTimes.ms / productTimes.ms,
    gigaOperations: operations / 1e9,
    ofMatMulRate: rate(kernelTimes.ms, productTimes.ms),
    fastestOfMatMulRate: rate(kernelTimes.fastestMs, productTimes.fastestMs),
    cpuOfMatMulRate: rate(kernelTimes.cpuMs, productTimes.cpuMs),
    peers: methods.map(({ name, version }, m) => {
      const { timings, skipped } = theirs[m];
      const named = { method: name, version, skipped };
      if (timings.length === 0) return { ...named, ...noTimes };
      const times = summary(timings);
      return {
        ...named,
        ...times,
        ratio: times.ms / kernelTimes.ms,
        fastestRatio: times.fastestMs / kernelTimes.fastestMs,
        cpuRatio: times.cpuMs / kernelTimes.cpuMs,
        measuredShare: timings[0].share ?? null,
      };
    }),
  };
}

const noTimes = {
  ms: null,
  fastestMs: null,
  cpuMs: null,
  peakMB: null,
  ratio: null,
  fastestRatio: null,
  cpuRatio: null,
  measuredShare: null,
};
