import { driftBars, regimeScore } from '../../src/core/measures/regimeBars.js';
import type { RegimeRecord } from '../../src/protocol/records.js';
import { svgPicture, svgText } from '../charts/svg.js';
import { formatNumber, formatPercent } from '../format.js';
import type { RunData } from '../store.js';
import { t } from '../strings.js';
import { readTheme, type Theme } from '../theme.js';
import { element } from '../ui/dom.js';
import { Card, type CardPlace, type Scene, setText, type Table } from './card.js';

/** Names of what the verdict rests on. */
const evidenceNames: Readonly<Record<string, () => string>> = {
  gap: () => t('gap so far'),
  expectedGap: () => t('expected gap'),
  drift: () => t('kernel drift'),
  twinGap: () => t('twin gap'),
  movement: () => t('weight movement'),
};

/** The needle's place: 0 lazy at the left, 1 rich at the right; by the drift where the record holds no score. */
function needle(record: RegimeRecord, drift: number | null): number {
  const score = record.score ?? (drift !== null && drift > 0 ? regimeScore(drift, driftBars) : 0);
  return Math.max(0.02, Math.min(0.98, (score + 0.5) / 2));
}

/** Verdict lazy / in between / rich as a dial, each measurement on its own scale, and the reasons in words. */
export class RegimeCard extends Card {
  private readonly dial = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  private readonly verdict = element('p', { class: 'verdict' });
  private readonly evidence = element('dl', { class: 'evidence' });
  private readonly reasons = element('ul', { class: 'reasons' });
  private record: RegimeRecord | undefined;

  constructor(place: CardPlace) {
    super({
      ...place,
      id: 'regime',
      title: t('Regime'),
      explanation: t(
        'Lazy: the network behaves like its linearisation at the start, a fixed kernel decides what is learnt. Rich: the neurons move, the kernel adapts, features are learnt. The verdict rests on how far network and linearisation will part over the whole run: by the kernels so far, by descent ahead on a copy and by the linearised twin, else by kernel drift. Movement and task cost are witnesses.',
      ),
      missing: t('the regime: set measure.kernels above 1'),
    });
    this.dial.setAttribute('viewBox', '0 -10 220 130');
    this.dial.setAttribute('class', 'dial');
    this.dial.setAttribute('role', 'img');
    this.dial.setAttribute('aria-label', t('Regime'));
    this.stage.classList.add('dialStage');
    this.stage.append(
      element('div', { class: 'dialSide' }, this.verdict),
      element('div', { class: 'dialFacts' }, this.evidence, this.reasons),
    );
    this.stage.firstElementChild?.nextElementSibling?.prepend(this.dial);
  }

  override available(run: RunData): boolean {
    return run.regime !== undefined;
  }

  protected override draw({ primary, theme, step }: Scene): boolean {
    const record = primary?.regimeAt(step);
    this.record = record;
    for (const part of [this.dial, this.verdict, this.evidence, this.reasons])
      part.toggleAttribute('hidden', !record);
    if (!primary || !record) return false;
    const drift = primary.near('drift', record.step);
    this.dial.innerHTML = dialBody(needle(record, drift), record.regime === 'undetermined', theme);
    setText(this.verdict, t(record.regime));
    this.evidence.replaceChildren(
      ...(record.evidence ?? []).map(({ name, value, lazy, rich }) => evidenceRow(name, value, lazy, rich)),
    );
    const sentences = record.reasons.join('\n');
    if (this.reasons.dataset['text'] !== sentences) {
      this.reasons.dataset['text'] = sentences;
      this.reasons.replaceChildren(...record.reasons.map((reason) => element('li', {}, reason)));
    }
    return true;
  }

  protected override summarize({ primary }: Scene): string {
    if (!primary || !this.record) return '';
    const text = t(
      'Verdict at step {0}: {1}; kernel drift {2}.',
      this.record.step,
      t(this.record.regime),
      formatPercent(primary.near('drift', this.record.step)),
    );
    this.dial.setAttribute('aria-label', text);
    return text;
  }

  protected override describeUnits(): string {
    return t('lazy: a fixed kernel · rich: features are learnt');
  }

  override table({ primary }: Scene): Table {
    return {
      columns: ['step', 'verdict', 'reasons'],
      rows: (primary?.regimes ?? []).map((r) => [r.step, r.regime, r.reasons.join(' ')]),
    };
  }

  protected override picture(title: string, subtitle: string): string {
    const theme = readTheme();
    const { record } = this;
    const lines = (record?.reasons ?? []).map((reason, i) =>
      svgText(12, 182 + 17 * i, 'start', reason, theme.muted),
    );
    return svgPicture(
      { title, subtitle, theme, width: 560, height: 190 + 17 * lines.length },
      [
        `<g transform="translate(170 0)" fill="none">${this.dial.innerHTML}</g>`,
        svgText(280, 154, 'middle', record ? t(record.regime) : '', theme.foreground),
        ...lines,
      ].join('\n'),
    );
  }

  override dispose(): void {
    this.dial.remove();
  }
}

/** A half circle in three parts with their names, ticks and the needle. */
function dialBody(share: number, unknown: boolean, theme: Theme): string {
  const point = (at: number, radius: number) => {
    const angle = Math.PI * (1 - at);
    return [110 + radius * Math.cos(angle), 108 - radius * Math.sin(angle)] as const;
  };
  const arc = (from: number, to: number, color: string) => {
    const [[x0, y0], [x1, y1]] = [point(from, 84), point(to, 84)];
    return `<path d="M${x0} ${y0}A84 84 0 0 1 ${x1} ${y1}" fill="none" stroke="${color}" stroke-width="14"/>`;
  };
  const name = (at: number, text: string, anchor: string) => {
    const [x, y] = point(at, 100);
    return `<text x="${x}" y="${y}" text-anchor="${anchor}" font-size="11" font-family="inherit" fill="${theme.muted}">${text}</text>`;
  };
  const [x, y] = point(share, 70);
  const [left, right] = [point(share - 0.5, 4.5), point(share + 0.5, 4.5)];
  return [
    arc(0, 0.372, theme.palette[0]),
    arc(0.378, 0.597, theme.palette[3]),
    arc(0.603, 1, theme.palette[1]),
    name(0.19, t('lazy'), 'end'),
    name(0.5, t('in between'), 'middle'),
    name(0.81, t('rich'), 'start'),
    unknown
      ? ''
      : `<path d="M${left[0]} ${left[1]}L${x} ${y}L${right[0]} ${right[1]}z" fill="${theme.foreground}"/>`,
    `<circle cx="110" cy="108" r="6.5" fill="${theme.foreground}"/>`,
  ].join('');
}

/** One measurement on a logarithmic scale from a quarter of the lazy bar to four times the rich one. */
function evidenceRow(name: string, value: number, lazy: number, rich: number): HTMLElement {
  const [low, high] = [Math.log(lazy / 4), Math.log(rich * 4)];
  const place = (v: number) => Math.max(0, Math.min(1, (Math.log(Math.max(v, 1e-12)) - low) / (high - low)));
  const track = element('span', { class: 'track' });
  track.style.setProperty('--lazy', `${100 * place(lazy)}%`);
  track.style.setProperty('--rich', `${100 * place(rich)}%`);
  const mark = element('span', { class: 'mark' });
  mark.style.left = `${100 * place(value)}%`;
  track.append(mark);
  track.title = t('below {0} lazy, above {1} rich', formatNumber(lazy), formatNumber(rich));
  return element(
    'div',
    {},
    element('dt', {}, evidenceNames[name]?.() ?? name),
    element('dd', {}, element('span', { class: 'number' }, formatPercent(value)), track),
  );
}
