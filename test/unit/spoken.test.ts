import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readBundle, readSaid } from '../../.ci/l10n.mjs';
import { InputError } from '../../src/core/errors.js';
import { say } from '../../src/core/say.js';
import { chooseExport } from '../../src/experiment/load.js';
import { parseOverride } from '../../src/experiment/overrides.js';
import { resolveDefinition } from '../../src/experiment/schema.js';
import { Translator } from '../../src/extension/spoken/translator.js';
import { requireBounded } from '../../src/network/training/loop/divergence.js';
import { type RegimeEvidence, regimeVerdict } from '../../src/network/training/regime/regime.js';
import { verifyPage } from '../../src/theory/page.js';
import { claims } from '../../src/theory/registry.js';
import { surveys } from '../../src/theory/survey/registry.js';
import { describeExit } from '../../src/trainer/client.js';
import { readJson, root } from '../helpers/folders.js';

const texts = readSaid('zh-cn');
const words = readBundle('zh-cn');
const chinese = new Translator(texts, words);
const gapsOf = (template: string): number => new Set(template.match(/\{\d+\}/g) ?? []).size;
const fill = (template: string, values: readonly string[]): string =>
  template.replace(/\{(\d+)\}/g, (whole, i) => values[Number(i)] ?? whole);

/** English words that are left, without names, formulas and what is quoted. */
const english = (text: string): string[] =>
  (text.replace(/"[^"]*"|'[^']*'|“[^”]*”/g, '').match(/\b[a-z]{4,}\b/g) ?? []).filter(
    (word) =>
      !/^(tanh|relu|sqrt|sign|alpha|theta|lambda|beta|sigmoid|mean|log|conv|dense|momentum|dropout)$/.test(
        word,
      ),
  );

describe('the mark of a text', () => {
  it('leaves it as it is', () => {
    expect(say`plain`).toBe('plain');
    expect(say`${1} of ${'two'} %`).toBe('1 of two %');
  });
});

describe('sentences from below the editor, in Chinese', () => {
  it('are found by their template, whatever stands in the gaps', () => {
    const wrong: string[] = [];
    for (const [template, translation] of Object.entries(texts)) {
      const values = Array.from({ length: gapsOf(template) }, (_, i) => `v${i}.5e-3`);
      const told = chinese.translate(fill(template, values));
      if (told !== fill(translation, values)) wrong.push(`${template}\n  ${told}`);
    }
    expect(wrong).toEqual([]);
  });

  it('are found in rows', () => {
    const plain = Object.entries(texts).filter(([text]) => gapsOf(text) === 0 && /^[A-Z].*\.$/.test(text));
    expect(plain.length).toBeGreaterThan(30);
    for (const [i, [a, first]] of plain.entries()) {
      const [b, second] = plain[(7 * i + 3) % plain.length];
      expect(chinese.translate(`${a} ${b}`)).toBe(`${first}${second}`);
      expect(chinese.translate(`${a}\n${b}`)).toBe(`${first}\n${second}`);
    }
  });

  it('stay as they are when nobody knows them', () => {
    for (const text of [
      '',
      'two-layer.ts',
      "Cannot read properties of undefined (reading 'units')",
      'ENOENT: no such file or directory, open "/data/x.csv"',
      'My network, third try: wider than before.',
      'SyntaxError: Unexpected token (3:14)',
    ])
      expect(chinese.translate(text)).toBe(text);
  });

  it('are taken as they are meant where a gap could swallow the next sentence', () => {
    expect(
      chinese.translate('The kernel has drifted by 3.1 %. So far they have parted by at most 0.42 %.'),
    ).toBe(
      `${fill(texts['The kernel has drifted by {0}.'], ['3.1 %'])}${fill(
        texts['So far they have parted by at most {0}.'],
        ['0.42 %'],
      )}`,
    );
  });

  it('are read in lists, with the full stop of the whole', () => {
    expect(
      chinese.translate(
        'tanh: slope -0.49, error 35.1 % at m = 64, 2.37 % at m = 16384; relu: slope -0.5, error 32.5 % at m = 64, 2.27 % at m = 16384.',
      ),
    ).toBe(
      'tanh：斜率 -0.49，m = 64 时误差 35.1 %，m = 16384 时 2.37 %；relu：斜率 -0.5，m = 64 时误差 32.5 %，m = 16384 时 2.27 %。',
    );
    expect(
      chinese.translate(
        "Relative test error: random features 0.208, tangent kernel 0.207, network, alpha = 1 0.000933. Theory's number is the largest error allowed at alpha = 1.",
      ),
    ).toBe(
      '相对测试误差：随机特征 0.208，切核 0.207，网络，alpha = 1 0.000933。理论值是 alpha = 1 时允许的最大误差。',
    );
  });

  it('cover every reason of a regime verdict', () => {
    const known: RegimeEvidence = {
      drift: 0.031,
      movement: 0.012,
      costRatio: 0.2,
      learningRate: 3,
      maxStep: 0.5,
      loss: 'crossEntropy',
      form: { differs: true, random: false, penalised: ['dense_Dense1', 'dense_Dense2'] },
      steps: 5000,
    };
    const reasons = [
      {},
      known,
      { ...known, optimizer: 'adam' },
      { ...known, twinGap: 0.02 },
      { ...known, form: { differs: true, random: true, penalised: [] } },
      { ...known, optimizer: 'momentum', gap: 0.01, expected: 0.04 },
      { ...known, gap: 0.01, over: true },
      { ...known, gap: 0.01, expected: 0.3, partial: true },
    ].flatMap((evidence) => regimeVerdict(evidence).reasons);
    expect(new Set(reasons).size).toBeGreaterThan(12);
    for (const reason of reasons) expect(english(chinese.translate(reason)), reason).toEqual([]);
  });

  it('cover what a definition can get wrong', () => {
    const model = { kind: 'twoLayer', width: 64 };
    const data = { kind: 'digits' };
    const messages = [
      {},
      { model, data, stepps: 3 },
      { model, data, entirelyUnknown: 3 },
      { model: { ...model, width: -3 }, data },
      { model: { ...model, scale: 'huge' }, data },
      { model: { kind: 'mlp', hidden: [] }, data },
      { model: () => null, data, batch: 'half' },
      { model, data: 7 },
      { model, data, optimizer: { learningRate: 'fast' } },
      { model, data, loss: 'hinge' },
      { model, data, optimizer: 'sgd' },
      'nothing',
    ].map((input) => messageOf(() => resolveDefinition(input, '/models/two-layer.ts')));
    for (const message of messages) {
      const told = chinese.translate(message);
      expect(told, message).toMatch(/^\/models\/two-layer\.ts: .*[一-鿿].*。$/);
      // Names of fields and values stay.
      expect(told, message).not.toMatch(/\b(must|missing|there is|allowed)\b/i);
    }
    expect(chinese.translate(messageOf(() => chooseExport('a.ts', [])))).toMatch(/^a\.ts 没有导出/);
    expect(chinese.translate(messageOf(() => parseOverride('width')))).toMatch(/不是覆盖项/);
  });

  it('keep the numbers of a run that diverged, and say how a trainer ended', () => {
    const message = messageOf(() =>
      requireBounded(Number.NaN, { step: 12, rate: 0.5, initialLoss: 1, maxStep: 0.31 }),
    );
    expect(chinese.translate(message)).toBe(
      "训练在第 12 步发散：步长 0.5 时损失为 NaN。初始核最多允许 0.31。请减小 optimizer.learningRate，或使用 'auto'。",
    );
    const exit = describeExit({ code: 1, signal: null, stderr: 'boom\n' });
    expect(exit).toBe('exit code 1; it said:\nboom');
    expect(chinese.translate(exit)).toBe('退出码 1；它输出了：\nboom');
  });

  it('cover every claim and experiment', () => {
    for (const { id, title, statement, setting, tolerance } of claims)
      for (const text of [title, statement, setting, tolerance]) {
        const told = chinese.translate(text);
        expect(told, `${id}: ${text}`).toMatch(/[一-鿿]|^threshold/);
        expect(english(told).length, told).toBeLessThan(0.2 * english(text).length + 3);
      }
    for (const { id, title, statement, setting, published } of surveys)
      for (const text of [title, statement, ...Object.values(setting), published])
        expect(chinese.translate(text), `${id}: ${text}`).toMatch(/[一-鿿]/);
  });

  it('are found in what was recorded earlier', () => {
    const folder = path.join(root, 'docs', 'results');
    const recorded = readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .flatMap((name) => readJson<{ experiments?: Recorded[] }>(path.join(folder, name)).experiments ?? []);
    expect(recorded.length).toBeGreaterThan(3);
    for (const { title, setting, published, note, bars } of recorded)
      for (const text of [title, setting, published, note, ...bars.flatMap((b) => [b.name, b.tolerance])]) {
        const told = chinese.translate(text);
        expect(english(told).length, told).toBeLessThanOrEqual(0.2 * english(text).length);
      }
  });

  it('are translated in pages, and nothing else of a page is', () => {
    const [claim] = claims;
    const result = {
      id: claim.id,
      passed: true,
      predicted: 1,
      measured: 1.1,
      interval: null,
      tolerance: claim.tolerance,
      seed: 0,
      backend: 'wasm',
      seconds: 2,
      note: 'A <b> & "c" of mine.',
    };
    const figure = {
      title: 'Test error against width',
      xLabel: 'width m',
      yLabel: 'eta = 0.5 < 1',
      series: [{ label: 'measured', x: [1, 2], y: [1, 2], style: 'dots' as const }],
    };
    const html = verifyPage([{ claim, result, figures: [figure] }], {
      backend: 'wasm',
      preset: 'quick',
      sabotage: false,
    });
    const told = chinese.translatePage(html);
    for (const text of [claim.title, claim.statement, 'measured', '✓ holds', figure.title])
      expect(told).toContain(`>${texts[text]}<`);
    expect(told).toContain(`aria-label="${texts[figure.title]}"`);
    expect(told).toContain('1 条论断中 1 条成立');
    expect(told).toContain('>A &lt;b&gt; &amp; &quot;c&quot; of mine.<');
    const tags = (page: string) =>
      page.replace(/aria-label="[^"]*"/g, '').match(/<style>[\s\S]*?<\/style>|<[^>]+>/g);
    expect(tags(told)).toEqual(tags(html));
  });
});

/** What `reproduce --json` says in words. */
interface Recorded {
  readonly title: string;
  readonly setting: string;
  readonly published: string;
  readonly note: string;
  readonly bars: readonly { readonly name: string; readonly tolerance: string }[];
}

function messageOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof InputError || error instanceof Error) return error.message;
  }
  throw new Error('It was accepted.');
}
