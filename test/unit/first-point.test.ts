import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RunModel, startFrame } from '../../src/extension/runs/liveRun.js';
import type { MetricsRow, RunStarted, Snapshot } from '../../src/protocol/records.js';
import type { FromTrainer } from '../../src/protocol/trainerWire.js';
import { Pump } from '../../src/trainer/pump.js';
import { RunData } from '../../webview/store.js';

type Frame = Extract<FromTrainer, { type: 'frame' }>;

const info = { run: 'r', name: 'r', layers: ['hidden'] } as unknown as RunStarted;
const rows = (from: number, count: number) => {
  const step = Float64Array.from({ length: count }, (_, i) => from + i);
  const columns = { loss: step.map((s) => 1 / (s + 1)), drift: step.map((s) => s / 10) };
  return { metrics: { step, time: step, columns }, snapshots: [], events: [] };
};

describe('the loss of the start', () => {
  it('is the first point in the host, and gives way to the whole row of its step', () => {
    const model = new RunModel(info);
    model.append(startFrame(1.25));
    expect(model.last('loss')).toBe(1.25);
    expect(Array.from(model.column('step'))).toEqual([0]);
    model.append(rows(0, 3));
    expect(Array.from(model.column('step'))).toEqual([0, 1, 2]);
    expect(Array.from(model.column('loss'))).toEqual([1, 1 / 2, 1 / 3]);
    expect(Array.from(model.column('drift'))).toEqual([0, 0.1, 0.2]);
  });

  it('is the first point in the panel, and gives way to the whole row of its step', () => {
    const run = new RunData(info, 'running');
    const { metrics } = startFrame(1.25);
    run.append(metrics, [], []);
    expect(run.last('loss')).toBe(1.25);
    run.append(rows(0, 1).metrics, [], []);
    run.append(rows(1, 2).metrics, [], []);
    expect(Array.from(run.column('loss')?.step ?? [])).toEqual([0, 1, 2]);
    expect(Array.from(run.column('loss')?.values ?? [])).toEqual([1, 1 / 2, 1 / 3]);
    expect(run.near('drift', 1)).toBe(0.1);
  });

  it('stays where the rows go on after it', () => {
    const model = new RunModel(info);
    model.append(startFrame(1.25));
    model.append(rows(1, 2));
    expect(Array.from(model.column('step'))).toEqual([0, 1, 2]);
    expect(model.column('loss')[0]).toBe(1.25);
  });
});

describe('frames of a run', () => {
  let sent: Frame[];
  let pump: Pump;
  beforeEach(() => {
    vi.useFakeTimers();
    sent = [];
    pump = new Pump((frame) => sent.push(frame));
  });
  afterEach(() => {
    pump.dispose();
    vi.useRealTimers();
  });
  const row = (step: number): MetricsRow => ({ kind: 'metrics', step, time: step, values: { loss: 1 } });
  const snapshot = (step: number): Snapshot => ({
    kind: 'snapshot',
    name: 'eigenvalues',
    step,
    time: 0,
    shape: [1],
    data: Float64Array.of(1),
  });

  it('begin with the first row and what was measured before it, without waiting for a timer', () => {
    pump.push(snapshot(0));
    expect(sent).toHaveLength(0);
    pump.push(row(0));
    expect(sent).toHaveLength(1);
    expect(sent[0].snapshots).toHaveLength(1);
    expect(Array.from(sent[0].metrics.step)).toEqual([0]);
  });

  it('go out while training gives no timer a turn, once 50 ms have passed', () => {
    const clock = vi.spyOn(performance, 'now');
    for (let step = 0; step <= 6; step++) {
      clock.mockReturnValue(1000 + 20 * step);
      pump.push(row(step));
      pump.acknowledge();
    }
    clock.mockRestore();
    expect(sent.map((f) => Array.from(f.metrics.step))).toEqual([[0], [1, 2, 3], [4, 5, 6]]);
  });

  it('merge while two are on their way, and lose no row', () => {
    for (let step = 0; step < 6; step++) {
      pump.push(row(step));
      vi.advanceTimersByTime(60);
    }
    expect(sent).toHaveLength(2);
    pump.acknowledge();
    pump.flush(true);
    expect(sent.flatMap((f) => Array.from(f.metrics.step))).toEqual([0, 1, 2, 3, 4, 5]);
  });
});
