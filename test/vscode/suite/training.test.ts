import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';
import { readRun, readRunFile } from '../../../src/runs/index.js';
import { api, file, open, target, until } from './help.js';

const execute = <T>(name: string, ...args: unknown[]) =>
  vscode.commands.executeCommand<T>(`kernelscope.${name}`, ...args);

describe('training from the editor', () => {
  it('runs, shows the dashboard, and holds what the run folder holds', async () => {
    const { services } = await api();
    const id = await execute<string>('run', target('small.ts'));
    assert.ok(id);
    const model = await until('the end of the run', () => {
      const run = services.runs.model(id);
      return run && !run.live ? run : null;
    });
    assert.equal(model.status, 'finished');
    assert.ok(services.dashboards.shown.some((ids) => ids.includes(id)));
    const stored = readRun(model.info.folder);
    assert.equal(model.last('loss'), stored.metrics.columns['loss'].at(-1));
    assert.equal(model.last('step'), 60);
    assert.ok(existsSync(path.join(file('.'), '.kernelscope', '.gitignore')));
  });

  it('has a trainer ready when a model file is looked at, which the next run takes, and none where that is not wanted', async () => {
    const { services } = await api();
    const { runs } = services;
    await open('small.ts');
    const pid = await until('a trainer that waits', () => runs.sparePid);
    const id = await execute<string>('run', target('small.ts', 'long'));
    assert.ok(id);
    assert.equal(runs.byId(id)?.client.pid, pid);
    assert.equal(runs.sparePid, undefined);
    const section = vscode.workspace.getConfiguration('kernelscope');
    await section.update('spareTrainer', false, vscode.ConfigurationTarget.Workspace);
    try {
      await execute('stop', id);
      await until('the end', () => !runs.byId(id));
      await open('importing.ts');
      await open('small.ts');
      await new Promise((resolve) => setTimeout(resolve, 3000));
      assert.equal(runs.sparePid, undefined);
    } finally {
      await section.update('spareTrainer', undefined, vscode.ConfigurationTarget.Workspace);
    }
  });

  it('pauses, steps, goes on and stops', async () => {
    const { services } = await api();
    const id = await execute<string>('run', target('small.ts', 'long'));
    assert.ok(id);
    const model = services.runs.model(id);
    assert.ok(model);
    await execute('pause', id);
    await until('the pause', () => model.status === 'paused');
    await new Promise((resolve) => setTimeout(resolve, 200));
    const at = model.last('step');
    await execute('step', id);
    await until('one more step', () => model.last('step') > at || model.info.steps === 0, 5000).catch(
      () => undefined,
    );
    assert.equal(model.status, 'paused');
    await execute('resume', id);
    await until('going on', () => model.status === 'running');
    await until('more steps', () => model.last('step') > at + 50);
    await execute('stop', id);
    await until('the end', () => !model.live);
    assert.equal(model.status, 'stopped');
    assert.equal(readRunFile(model.info.folder).status, 'stopped');
  });

  it('trains two experiments at once', async () => {
    const { services } = await api();
    const a = await execute<string>('run', target('small.ts', 'long'));
    const b = await execute<string>('run', target('importing.ts'));
    assert.ok(a && b && a !== b);
    await until('the shorter one', () => services.runs.model(b)?.status === 'finished');
    assert.equal(services.runs.model(a)?.status, 'running');
    await execute('stop', a);
    await until('the longer one', () => services.runs.model(a)?.status === 'stopped');
  });

  it('says so when the trainer is killed, and keeps the data', async () => {
    const { services } = await api();
    const id = await execute<string>('run', target('small.ts', 'long'));
    assert.ok(id);
    const active = services.runs.byId(id);
    await until('some rows', () => (services.runs.model(id)?.last('step') ?? 0) > 100);
    active?.client.kill();
    const model = await until('the failure', () => {
      const run = services.runs.model(id);
      return run?.status === 'failed' ? run : null;
    });
    assert.match(model.ended?.message ?? '', /SIGKILL/);
    const { folder } = model.info;
    assert.equal(readRunFile(folder).status, 'interrupted');
    assert.ok(readFileSync(path.join(folder, 'metrics.jsonl'), 'utf8').split('\n').length > 5);
  });

  it('ends a run that diverges with the step and the step size', async () => {
    const { services } = await api();
    const id = await execute<string>('run', target('small.ts', 'diverging'));
    assert.ok(id);
    const model = await until('the end', () => {
      const run = services.runs.model(id);
      return run && !run.live ? run : null;
    });
    assert.equal(model.status, 'diverged');
    assert.match(model.ended?.message ?? '', /step \d+.*500/s);
  });

  it('shows a mistake of the file as a problem at its line', async () => {
    const { document } = await open('syntax.ts');
    void execute('run', target('syntax.ts'));
    const problem = await until('the problem', () =>
      vscode.languages.getDiagnostics(document.uri).find((d) => d.source === 'Kernelscope'),
    );
    assert.equal(problem.range.start.line, 3);
    await vscode.commands.executeCommand('notifications.clearAll');
  });

  it('cancels a model file that never ends', async () => {
    const { services } = await api();
    void execute('run', target('endless.ts'));
    await until('the start', () => services.runs.activeOf(file('endless.ts'), 'default'));
    await new Promise((resolve) => setTimeout(resolve, 500));
    await execute('stop', target('endless.ts'));
    await until('the end', () => !services.runs.activeOf(file('endless.ts'), 'default'));
  });

  it('lists runs by file, filters, renames, pins and deletes them', async () => {
    const { services } = await api();
    const items = services.runsTree.items();
    const groups = services.runsTree.getChildren();
    assert.ok(groups.some((g) => services.runsTree.getTreeItem(g).label === 'small.ts'));
    services.runsTree.filter = 'diverged';
    const runs = services.runsTree.getChildren().flatMap((g) => services.runsTree.getChildren(g));
    assert.equal(runs.length, 1);
    services.runsTree.filter = '';
    const last = items[items.length - 1];
    await execute('pinRun', last);
    assert.equal(readRunFile(last.folder).pinned, true);
  });
});
