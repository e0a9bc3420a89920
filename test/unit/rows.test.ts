import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Random } from '../../src/core/random.js';
import { linesOf } from '../../src/runs/files/lines.js';
import { framesOf, rowsOf } from '../../src/runs/rows.js';
import { temporaryFolder } from '../helpers/folders.js';

let place: ReturnType<typeof temporaryFolder>;
let file: string;
beforeEach(() => {
  place = temporaryFolder();
  file = path.join(place.path, 'rows.jsonl');
});
afterEach(() => place.clean());

describe('the lines of a file', () => {
  it('are those of the file as a whole, wherever the pieces end', () => {
    const random = new Random(5);
    const word = () => 'aé漢🙂\r\t'.repeat(random.integer(9));
    for (const target of [0, 10, 5000, 2 ** 20 - 1, 2 ** 20, 2 ** 20 + 1, 3_300_000]) {
      const parts: string[] = [];
      for (let size = 0; size < target; ) {
        const long = random.uniform() < 0.002;
        const line = `${long ? 'x'.repeat(random.integer(300_000)) : word()}\n`;
        parts.push(line);
        size += Buffer.byteLength(line);
      }
      const text = parts.join('');
      for (const whole of [text, `${text}torn`, text.slice(0, -1)]) {
        writeFileSync(file, whole);
        const lines = [...linesOf(file)];
        const wanted = whole.split('\n');
        if (wanted.at(-1) === '') wanted.pop();
        expect(lines.map((l) => l.text).join('\n') === wanted.join('\n'), String(target)).toBe(true);
        expect(lines).toHaveLength(wanted.length);
        expect(lines.at(-1)?.ended ?? true).toBe(whole === '' || whole.endsWith('\n'));
      }
    }
    expect([...linesOf(path.join(place.path, 'none'))]).toEqual([]);
    expect(() => [...linesOf(place.path)]).toThrow(/cannot be read/);
  });

  it('are refused where one is longer than any that a run writes', () => {
    writeFileSync(file, Buffer.alloc(2 ** 26 + 2 ** 21, 120));
    expect(() => [...linesOf(file)]).toThrow(/has a line of more than 67108864 bytes/);
  });
});

describe('rows', () => {
  it('become columns, whatever rows have them and however many there are', () => {
    const rows = Array.from({ length: 5000 }, (_, i) => ({
      step: i,
      time: i / 2,
      loss: i % 3 === 0 ? null : 1 / (i + 1),
      ...(i > 4000 ? { late: i } : {}),
      ...(i === 7 ? { once: -0 } : {}),
    }));
    writeFileSync(file, `${rows.map((row) => JSON.stringify(row)).join('\n')}\n`);
    const frame = framesOf(rowsOf(file));
    expect(Object.keys(frame.columns)).toEqual(['loss', 'once', 'late']);
    expect(Array.from(frame.step)).toEqual(rows.map((r) => r.step));
    expect(Array.from(frame.time)).toEqual(rows.map((r) => r.time));
    const column = (name: 'loss' | 'late') =>
      rows.map((row) => (row as Record<string, number | null | undefined>)[name] ?? Number.NaN);
    expect(Array.from(frame.columns['loss'])).toEqual(column('loss'));
    expect(Array.from(frame.columns['late'])).toEqual(column('late'));
    expect(frame.columns['once']).toHaveLength(5000);
    expect(framesOf([])).toMatchObject({ step: new Float64Array(0), time: new Float64Array(0), columns: {} });
  });
});
