import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli } from '../helpers/cli.js';
import { root, temporaryFolder } from '../helpers/folders.js';

let place: ReturnType<typeof temporaryFolder>;
beforeAll(() => {
  place = temporaryFolder();
});
afterAll(() => place.clean());

interface Listing {
  readonly experiments: readonly {
    readonly id: string;
    readonly title: string;
    readonly statement: string;
    readonly setting: Readonly<Record<'quick' | 'full', string>>;
  }[];
}

interface Document {
  readonly command: string;
  readonly date: string;
  readonly experiments: readonly {
    readonly experiment: string;
    readonly preset: string;
    readonly setting: string;
    readonly complete: boolean;
    readonly passed: boolean | null;
    readonly backend: string;
    readonly versions: Readonly<Record<string, string>>;
    readonly seconds: number;
    readonly seed: number;
    readonly curves: Readonly<
      Record<string, { readonly columns: Readonly<Record<string, number[]>>; readonly complete: boolean }>
    >;
    readonly bars: readonly {
      readonly name: string;
      readonly measured: number | null;
      readonly published: number | null;
      readonly deviation: number | null;
      readonly tolerance: string;
      readonly passed: boolean | null;
    }[];
  }[];
}

describe('kernelscope reproduce', () => {
  it('lists the experiments, as the build keeps them for the editor', () => {
    const { code, stdout } = cli(['reproduce', '--list', '--json']);
    expect(code).toBe(0);
    const { experiments } = JSON.parse(stdout) as Listing;
    expect(experiments.map((e) => e.id)).toContain('mean-field');
    for (const e of experiments) {
      expect(e.title, e.id).not.toBe('');
      expect(e.statement, e.id).not.toBe('');
      expect(e.setting.full, e.id).not.toBe(e.setting.quick);
    }
    expect(JSON.parse(readFileSync(path.join(root, 'dist', 'experiments.json'), 'utf8'))).toEqual(
      JSON.parse(stdout),
    );
  });

  it('refuses an unknown experiment with the list of those it knows, and two presets at once', () => {
    const unknown = cli(['reproduce', 'widht']);
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain('There is no experiment "widht". Known experiments: width, scale,');
    expect(cli(['reproduce', 'width', '--quick', '--full']).code).toBe(2);
    expect(cli(['reproduce', 'width', '--seed', 'x']).code).toBe(2);
  });

  it('prints our curves beside the published values as one document, and writes the page', () => {
    const page = path.join(place.path, 'page.html');
    const args = ['reproduce', 'theta-start', '--quick', '--backend', 'wasm', '--json', '--out', page];
    const { code, stdout, stderr } = cli(args, place.path);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const { command, date, experiments } = JSON.parse(stdout) as Document;
    expect(command).toBe(`kernelscope ${args.join(' ')}`);
    expect(Number.isNaN(Date.parse(date))).toBe(false);
    expect(experiments).toHaveLength(1);
    const [one] = experiments;
    expect(one).toMatchObject({
      experiment: 'theta-start',
      preset: 'quick',
      complete: true,
      passed: true,
      backend: 'wasm',
      seed: 0,
    });
    expect(one.seconds).toBeGreaterThan(0);
    expect(one.versions['tfjs']).toMatch(/^\d/);
    for (const { columns, complete } of Object.values(one.curves)) {
      expect(complete).toBe(true);
      const lengths = new Set(Object.values(columns).map((c) => c.length));
      expect(lengths.size).toBe(1);
      expect(columns['accuracy'].at(-1)).toBeGreaterThan(0.5);
      expect(columns['movementTheta'][0]).toBe(0);
    }
    // Nothing is published for it here, so nothing may be claimed.
    expect(one.bars.every((bar) => bar.published === null)).toBe(true);
    const html = readFileSync(page, 'utf8');
    expect(html).toContain('id="theta-start"');
    expect(html.match(/<svg/g)?.length).toBeGreaterThanOrEqual(3);
    expect(html).not.toMatch(/(src|href)="https?:/);
  });
});
