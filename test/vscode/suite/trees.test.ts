import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';
import type { RunItem, RunNode, SweepNode } from '../../../src/extension/views/runNodes.js';
import { doneCells, readRunFile, readSweepFile } from '../../../src/runs/index.js';
import { api, file, target, until } from './help.js';

const execute = <T>(name: string, ...args: unknown[]) =>
  vscode.commands.executeCommand<T>(`kernelscope.${name}`, ...args);

async function finished(name: string): Promise<string> {
  const { services } = await api();
  const id = await execute<string>('run', target(name));
  assert.ok(id);
  await until('the end of the run', () => services.runs.model(id)?.live === false);
  return id;
}

/** Every node of the tree of runs. */
async function nodes(): Promise<RunNode[]> {
  const { services } = await api();
  const walk = (node?: RunNode): RunNode[] =>
    services.runsTree.getChildren(node).flatMap((child) => [child, ...walk(child)]);
  return walk();
}

async function item(id: string): Promise<RunItem> {
  const found = (await nodes()).find((n): n is RunItem => n.kind === 'run' && n.id === id);
  assert.ok(found, `no run ${id} in the tree`);
  return found;
}

describe('the tree of runs', () => {
  it('shows each run under its file, with its losses as a sparkline', async () => {
    const { services } = await api();
    const id = await finished('small.ts');
    const shown = services.runsTree.getTreeItem(await item(id));
    assert.match(String(shown.description), /^[▁▂▃▄▅▆▇█]{8} /);
    assert.equal(shown.contextValue, 'run.stored');
    const group = (await nodes()).find((n) => n.kind === 'group' && n.label === 'small.ts');
    assert.ok(group);
    assert.match(String(services.runsTree.getTreeItem(group).description), /^\d+ runs?$/);
  });

  it('compares what is dropped on a run', async () => {
    const { services } = await api();
    const [a, b] = [await finished('small.ts'), await finished('small.ts')];
    const transfer = new vscode.DataTransfer();
    services.runsTree.handleDrag([await item(b)], transfer);
    services.runsTree.handleDrop(await item(a), transfer);
    await until('both in one panel', () =>
      services.dashboards.shown.some((ids) => ids.join() === `${a},${b}`),
    );
  });

  it('pins all that are selected, and unpins them', async () => {
    const [a, b] = [await item(await finished('small.ts')), await item(await finished('small.ts'))];
    await execute('pinRun', a, [a, b]);
    assert.deepEqual(
      [a, b].map((run) => readRunFile(run.folder).pinned),
      [true, true],
    );
    const first = (await nodes()).find((n): n is RunItem => n.kind === 'run');
    assert.equal(first?.pinned, true);
    await execute('pinRun', a, [a, b]);
    assert.deepEqual(
      [a, b].map((run) => readRunFile(run.folder).pinned),
      [false, false],
    );
  });

  it('keeps the pin of a run that goes on', async () => {
    const { services } = await api();
    const id = await execute<string>('run', target('small.ts', 'long'));
    assert.ok(id);
    const live = await item(id);
    assert.equal(services.runsTree.getTreeItem(live).contextValue, 'run.live.running');
    await execute('pinRun', live);
    assert.equal((await item(id)).pinned, true);
    await execute('stop', id);
    await until('the end', () => services.runs.model(id)?.live === false);
    assert.equal(readRunFile(live.folder).pinned, true);
    assert.equal(readRunFile(live.folder).status, 'stopped');
  });

  it('goes on with a stopped run from its checkpoint', async () => {
    const { services } = await api();
    const id = await execute<string>('run', target('small.ts', 'long'));
    assert.ok(id);
    await until('some steps', () => (services.runs.model(id)?.last('step') ?? 0) > 200);
    await execute('stop', id);
    await until('the end', () => services.runs.model(id)?.live === false);
    const stopped = await item(id);
    assert.equal(services.runsTree.getTreeItem(stopped).contextValue, 'run.stored.resumable');
    const at = readRunFile(stopped.folder).ended?.step ?? 0;
    await execute('resume', id);
    await until('more steps', () => (services.runs.byId(id)?.model?.last('step') ?? 0) > at);
    const steps = Array.from(services.runs.model(id)?.column('step') ?? []);
    assert.equal(steps[0], 0, 'its past is there');
    assert.deepEqual(
      steps,
      [...new Set(steps)].sort((a, b) => a - b),
      'no row twice',
    );
    await execute('stop', id);
    await until('the end', () => services.runs.model(id)?.live === false);
  });
});

describe('sweeps', () => {
  const request = () => ({
    file: file('small.ts'),
    export: 'default',
    vary: ['model.width=8,16', 'seed=0..1'],
    set: ['steps=5', 'measure.kernels=2'],
  });

  it('run, are grouped with their cells, and do nothing twice', async () => {
    const { services } = await api();
    const folder = services.sweeps.newFolder(file('small.ts'));
    const outcome = await services.sweeps.run(folder, request());
    assert.deepEqual(outcome, { done: true });
    const sweep = readSweepFile(folder);
    assert.ok(sweep);
    assert.equal(doneCells(sweep), 4);
    const node = (await nodes()).find((n): n is SweepNode => n.kind === 'sweep' && n.folder === folder);
    assert.ok(node);
    const shown = services.runsTree.getTreeItem(node);
    assert.equal(shown.label, 'Sweep of model.width × seed');
    assert.equal(shown.description, '4 of 4 done');
    assert.deepEqual(
      node.runs.map((run) => run.name),
      ['width=8,seed=0', 'width=8,seed=1', 'width=16,seed=0', 'width=16,seed=1'],
    );
    const before = readFileSync(path.join(node.runs[0].folder, 'run.json'), 'utf8');
    assert.deepEqual(await services.sweeps.run(folder, sweep.request), { done: true });
    assert.equal(readFileSync(path.join(node.runs[0].folder, 'run.json'), 'utf8'), before);
    services.runsTree.filter = path.basename(folder);
    assert.equal((await nodes()).filter((n) => n.kind === 'run').length, 4);
    services.runsTree.filter = '';
  });

  it('tell what is wrong with their input', async () => {
    const { services } = await api();
    const folder = services.sweeps.newFolder(file('wrongField.ts'));
    const { failure } = await services.sweeps.run(folder, {
      ...request(),
      file: file('wrongField.ts'),
      vary: ['seed=0..1'],
    });
    assert.match(failure ?? '', /width/);
    assert.ok(!existsSync(folder) || readdirSync(folder).every((name) => !name.startsWith('seed')));
  });
});

describe('the claims', () => {
  it('are all listed, each under its theme', async () => {
    const { services } = await api();
    const claims = services.claimsTree.claims();
    assert.ok(claims.length >= 20, `${claims.length} claims`);
    const themes = services.claimsTree.getChildren();
    const listed = themes.flatMap((theme) => services.claimsTree.getChildren(theme));
    assert.deepEqual(listed.map((c) => ('id' in c ? c.id : '')).sort(), claims.map((c) => c.id).sort());
    for (const theme of themes) {
      const label = String(services.claimsTree.getTreeItem(theme).label);
      assert.ok(label.length > 3, `theme "${label}" has no name`);
    }
  });

  it('remember their verdicts', async () => {
    const { services } = await api();
    const [claim] = services.claimsTree.claims();
    await services.claimsTree.record([
      {
        id: claim.id,
        passed: true,
        predicted: -1,
        measured: -1.02,
        tolerance: claim.tolerance,
        seconds: 1,
        note: '',
        backend: 'wasm',
      },
    ]);
    const shown = services.claimsTree.getTreeItem(claim);
    assert.equal(shown.description, 'theory -1, measured -1.02');
    assert.match(shown.accessibilityInformation?.label ?? '', /holds$/);
  });
});
