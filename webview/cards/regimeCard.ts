import { formatNumber } from '../format.js';
import { t } from '../strings.js';
import { element } from '../ui/dom.js';
import { Card, type CardOptions, type Scene, type Table } from './card.js';

/** The needle's place: lazy at the left, rich at the right, by the drift on a logarithmic scale. */
function needle(drift: number | null): number {
  if (drift === null || !(drift > 0)) return 0;
  return Math.max(0, Math.min(1, (Math.log10(drift) + 3) / 3.3));
}

/** Verdict lazy / in between / rich as a dial, with the reasons in words. */
export class RegimeCard extends Card {
  private readonly dial = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  private readonly verdict = element('p', { class: 'verdict' });
  private readonly reasons = element('ul', { class: 'reasons' });

  constructor(options: Pick<CardOptions, 'outlet'>) {
    super({
      ...options,
      id: 'regime',
      title: t('Regime'),
      explanation: t(
        'Lazy: the network behaves like its linearisation at the start, a fixed kernel decides what is learnt. Rich: the neurons move, the kernel adapts, features are learnt. The verdict rests on kernel drift, twin gap, movement and task cost together, never on one of them alone.',
      ),
    });
    this.dial.setAttribute('viewBox', '0 0 200 112');
    this.dial.setAttribute('class', 'dial');
    this.dial.setAttribute('role', 'img');
    this.dial.setAttribute('aria-label', t('Regime'));
    this.stage.classList.add('dialStage');
    this.stage.append(element('div', {}, this.verdict, this.reasons));
    this.stage.prepend(this.dial);
  }

  protected override draw({ primary, theme }: Scene): boolean {
    const record = primary?.regime;
    this.dial.toggleAttribute('hidden', !record);
    if (!primary || !record) {
      this.verdict.textContent = '';
      this.reasons.replaceChildren();
      return false;
    }
    const angle = Math.PI * (1 - needle(primary.last('drift')));
    const [x, y] = [100 + 70 * Math.cos(angle), 100 - 70 * Math.sin(angle)];
    const arc = (from: number, to: number, color: string) => {
      const at = (share: number) =>
        `${100 + 84 * Math.cos(Math.PI * (1 - share))} ${100 - 84 * Math.sin(Math.PI * (1 - share))}`;
      return `<path d="M${at(from)}A84 84 0 0 1 ${at(to)}" fill="none" stroke="${color}" stroke-width="12"/>`;
    };
    this.dial.innerHTML = [
      arc(0, 0.33, theme.palette[0]),
      arc(0.34, 0.66, theme.palette[5]),
      arc(0.67, 1, theme.palette[1]),
      `<line x1="100" y1="100" x2="${x}" y2="${y}" stroke="${theme.foreground}" stroke-width="3" stroke-linecap="round"/>`,
      `<circle cx="100" cy="100" r="5" fill="${theme.foreground}"/>`,
    ].join('');
    this.verdict.textContent = t(record.regime);
    const sentences = record.reasons.join('\n');
    if (this.reasons.dataset['text'] !== sentences) {
      this.reasons.dataset['text'] = sentences;
      this.reasons.replaceChildren(...record.reasons.map((reason) => element('li', {}, reason)));
    }
    return true;
  }

  protected override summarize({ primary }: Scene): string {
    if (!primary?.regime) return '';
    const text = t(
      'Verdict {0}; kernel drift {1}.',
      t(primary.regime.regime),
      formatNumber(primary.last('drift')),
    );
    this.dial.setAttribute('aria-label', text);
    return text;
  }

  override table({ primary }: Scene): Table {
    return {
      columns: ['verdict', 'reason'],
      rows: (primary?.regime?.reasons ?? []).map((reason) => [primary?.regime?.regime ?? '', reason]),
    };
  }

  protected override pictures() {
    const svg = () => new XMLSerializer().serializeToString(this.dial);
    return { png: async () => null, svg };
  }

  override dispose(): void {
    this.dial.remove();
  }
}
