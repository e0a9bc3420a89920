import type { Card } from '../cards/card.js';
import type { RunData } from '../store.js';
import { t } from '../strings.js';
import { element } from './dom.js';

/** Why a card is empty of a program that was watched: it knows no fields to set. */
const ofWatched: Readonly<Record<string, () => string>> = {
  spectrum: () => t('there is no kernel of this training; the notes of the run say why'),
  kernel: () => t('there is no kernel of this training; the notes of the run say why'),
  drift: () => t('there is no kernel of this training; the notes of the run say why'),
  regime: () => t('there is no kernel of this training; the notes of the run say why'),
  accuracy: () =>
    t('the program computes none: it would be a metric of compile, or of validation data given to fit'),
};

const missingOf = (card: Card, run: RunData | undefined): string =>
  run?.info.kind === 'watched'
    ? (ofWatched[card.options.id]?.() ?? t('it is measured only where Kernelscope trains itself'))
    : card.options.missing;

/** What the run in front did not measure, and how to get it. */
export class Unmeasured {
  private readonly list = element('ul', {});
  readonly root = element(
    'details',
    { class: 'unmeasured' },
    element('summary', {}, t('What else can be measured')),
    this.list,
  );
  private shown = '';

  update(cards: readonly Card[], run?: RunData): void {
    this.root.toggleAttribute('hidden', cards.length === 0);
    const key = `${run?.info.kind ?? ''} ${cards.map((card) => card.options.id).join()}`;
    if (key === this.shown) return;
    this.shown = key;
    this.list.replaceChildren(
      ...cards.map((card) =>
        element('li', {}, element('b', {}, card.options.title), ` – ${missingOf(card, run)}`),
      ),
    );
  }
}
