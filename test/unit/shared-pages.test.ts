import { createHash } from 'node:crypto';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { exportRun, type RunFile, RunWriter, reportPage } from '../../src/runs/index.js';
import { htmlPage } from '../../src/theory/html.js';
import { temporaryFolder } from '../helpers/folders.js';

let place: ReturnType<typeof temporaryFolder>;
let folder: string;
const file = '/home/someone/secret project/model.ts';
beforeEach(() => {
  place = temporaryFolder();
  folder = path.join(place.path, 'runs', 'a-run');
  const run: RunFile = {
    schemaVersion: 1,
    info: {
      run: 'a-run',
      folder,
      name: 'model.ts',
      source: { file, exportName: 'default' },
      definition: { steps: 2 },
      backend: { name: 'wasm', why: '' },
      ...{ steps: 2, learningRate: 0.1, parameters: 3, layers: ['dense'], outputs: 1 },
      probe: { size: 2, outputs: 1, labels: [] },
      ...{ train: 4, test: 0, seed: 1, startedAt: '2026-01-01T00:00:00.000Z' },
    },
    status: 'running',
    request: { overrides: {} },
    pid: 1,
    source: { sha256: '', gitCommit: null },
    versions: {},
    machine: { platform: 'linux', arch: 'x64', cpu: '', cores: 1, memoryGiB: 1 },
  };
  const writer = RunWriter.create(folder, run);
  writer.record({ kind: 'metrics', step: 0, time: 0, values: { loss: 1 } });
  writer.end({
    status: 'failed',
    step: 1,
    message: `${folder}/metrics.jsonl cannot be written; C:\\Users\\someone\\x.csv is full.`,
  });
});
afterEach(() => place.clean());

const script = 'document.title = "</script><script>alert(1)</script>";';

it('lets the page of a report run its own script and nothing else', () => {
  const page = reportPage([folder], { script, styles: 'body { color: red }' });
  const policy = /Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1] ?? '';
  const code = /<script>([\s\S]*?)<\/script>/.exec(page)?.[1] ?? '';
  expect(code).toContain('document.title');
  const hash = createHash('sha256').update(code).digest('base64');
  expect(policy.split('; ')).toContain(`script-src 'sha256-${hash}'`);
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toMatch(/https?:|\*|script-src[^;]*unsafe/);
  expect(page.match(/<\/script>/g)).toHaveLength(2);
  const plain = /Content-Security-Policy" content="([^"]*)"/.exec(htmlPage('A page', ''))?.[1];
  expect(plain).toBe("default-src 'none'; img-src data:; style-src 'unsafe-inline'");
});

it('leaves out of what is shared where it lies on this machine, unless asked', () => {
  const page = reportPage([folder], { script: '', styles: '' });
  const json = new TextDecoder().decode(exportRun(folder, 'json'));
  for (const text of [page, json]) {
    expect(text).not.toMatch(/someone|secret project/);
    expect(text).not.toContain(place.path);
    expect(text).toContain('metrics.jsonl cannot be written; x.csv is full.');
    expect(text).toContain('model.ts');
  }
  const whole = JSON.parse(new TextDecoder().decode(exportRun(folder, 'json', { places: true }))) as {
    run: RunFile;
  };
  expect(whole.run.info).toMatchObject({ folder, source: { file } });
});
