import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { threadCount } from '../../src/network/backends/simd/index.js';
import { operations, Threads } from '../../src/network/backends/simd/threads.js';
import { root } from '../helpers/folders.js';

const product = `
  import { multiply, threads } from './src/network/backends/simd/index.ts';
  const pool = threads();
  const n = 300;
  const ones = { values: () => new Float32Array(n * n).fill(1), rows: n, k: n, turned: false };
  const out = new Float32Array(n * n);
  for (let i = 0; i < 20; i++) multiply(pool, ones, ones, () => out);
  console.log(JSON.stringify([pool.count, out.every((v) => v === n)]));`;

describe('threads of products', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.doUnmock('node:worker_threads');
    vi.resetModules();
  });

  it('are as many as the limit of TensorFlow allows', () => {
    vi.stubEnv('TF_NUM_INTRAOP_THREADS', '1');
    expect(threadCount()).toBe(1);
    vi.stubEnv('TF_NUM_INTRAOP_THREADS', 'many');
    expect(threadCount()).toBeGreaterThanOrEqual(1);
  });

  it('let the process end by itself', { timeout: 60_000 }, async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'kernelscope-threads-'));
    try {
      const outfile = path.join(folder, 'product.cjs');
      await build({
        stdin: { contents: product, resolveDir: root, loader: 'ts' },
        bundle: true,
        platform: 'node',
        outfile,
        logLevel: 'error',
      });
      const env = { ...process.env, TF_NUM_INTRAOP_THREADS: '3' };
      const ended = spawnSync(process.execPath, [outfile], { encoding: 'utf8', env, timeout: 40_000 });
      expect(ended.stderr).toBe('');
      expect(ended.status).toBe(0);
      expect(JSON.parse(ended.stdout)).toEqual([3, true]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('end a job in which one of them fails, with an error', { timeout: 20_000 }, async () => {
    const pool = new Threads(2);
    const memory = (pool as unknown as { memory: { buffer: SharedArrayBuffer } }).memory;
    const [k, many] = [64, 4096];
    const a = pool.allocate(32 * k);
    const c = pool.allocate(32 * 8 * (many + 1));
    // All columns but the last lie within the memory; which thread meets the last one is not known.
    const b = memory.buffer.byteLength - 32 * k;
    const job = () => pool.do(operations.product, many, [a, b - 32 * k * 3, k, 1, many, c, 32 * many, 1, 1]);
    expect(job).toThrow(/failed|out of bounds/);
    await pool.close();
  });

  it('are one where no other can be started', async () => {
    vi.resetModules();
    vi.doMock('node:worker_threads', () => ({
      Worker: class {
        constructor() {
          throw new Error('Workers are not allowed here.');
        }
      },
    }));
    const { multiply, Threads } = await import('../../src/network/backends/simd/index.js');
    const alone = new Threads(4);
    expect(alone.count).toBe(1);
    const n = 90;
    const rows = {
      values: () => Float32Array.from({ length: n * n }, (_, i) => i % 7),
      rows: n,
      k: n,
      turned: false,
    };
    const out = new Float32Array(n * n);
    multiply(alone, rows, rows, () => out);
    let truth = 0;
    for (let k = 0; k < n; k++) truth += (k % 7) * ((n + k) % 7);
    expect(out[1]).toBe(truth);
  });
});
