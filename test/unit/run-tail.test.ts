import { appendFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeNpy } from '../../src/core/npy.js';
import { RunTail, writeAtomically } from '../../src/runs/index.js';
import { temporaryFolder } from '../helpers/folders.js';

let folder: string;
let clean: () => void;
beforeEach(() => {
  ({ path: folder, clean } = temporaryFolder());
});
afterEach(() => clean());

const metrics = (text: string): void => appendFileSync(path.join(folder, 'metrics.jsonl'), text);

describe('following a run folder that another process writes', () => {
  it('tells whole rows once, and waits for the rest of a torn one', () => {
    const tail = new RunTail(folder);
    expect(tail.next()).toBeNull();
    metrics('{"step":0,"time":0,"loss":1}\n{"step":1,"time":0.1,"lo');
    expect(Array.from(tail.next()?.metrics.step ?? [])).toEqual([0]);
    expect(tail.next()).toBeNull();
    metrics('ss":0.5}\n');
    const news = tail.next();
    expect(Array.from(news?.metrics.columns['loss'] ?? [])).toEqual([0.5]);
    expect(tail.next()).toBeNull();
  });

  it('joins the share of looking, and tells arrays and events once', () => {
    const tail = new RunTail(folder);
    writeAtomically(path.join(folder, 'kernels', '00000000.npy'), encodeNpy(Float32Array.of(2), [1, 1]));
    writeAtomically(
      path.join(folder, 'arrays', 'energy', '00000000.npy'),
      encodeNpy(Float64Array.of(1), [1]),
    );
    appendFileSync(path.join(folder, 'timing.jsonl'), '{"step":0,"seconds":1,"tax":0.25}\n');
    appendFileSync(path.join(folder, 'events.jsonl'), '{"kind":"note","step":0,"level":"info","text":"x"}\n');
    metrics('{"step":0,"time":0,"loss":1}\n');
    const news = tail.next();
    expect(news?.snapshots.map(({ name, step }) => [name, step])).toEqual([
      ['kernel', 0],
      ['energy', 0],
    ]);
    expect(news?.events).toHaveLength(1);
    expect(Array.from(news?.metrics.columns['tax'] ?? [])).toEqual([0.25]);
    metrics('{"step":1,"time":0.1,"loss":1}\n');
    expect(tail.next()?.snapshots).toEqual([]);
  });

  it('begins anew where the file was written anew', () => {
    const tail = new RunTail(folder);
    metrics('{"step":0,"time":0,"loss":1}\n{"step":1,"time":0.1,"loss":2}\n');
    tail.next();
    writeFileSync(path.join(folder, 'metrics.jsonl'), '{"step":0,"time":0,"loss":3}\n');
    expect(Array.from(tail.next()?.metrics.columns['loss'] ?? [])).toEqual([3]);
  });
});
