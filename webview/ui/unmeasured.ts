import type { Card } from '../cards/card.js';
import { t } from '../strings.js';
import { element } from './dom.js';

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

  update(cards: readonly Card[]): void {
    this.root.toggleAttribute('hidden', cards.length === 0);
    const key = cards.map((card) => card.options.id).join();
    if (key === this.shown) return;
    this.shown = key;
    this.list.replaceChildren(
      ...cards.map((card) =>
        element('li', {}, element('b', {}, card.options.title), ` – ${card.options.missing}`),
      ),
    );
  }
}
