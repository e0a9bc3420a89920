import type { RunData } from '../store.js';
import { t } from '../strings.js';
import type { Theme } from '../theme.js';
import { button, toggle } from '../toolkit.js';
import { element } from './dom.js';

export interface ChipActions {
  /** Puts a run in front: the others are compared with it. */
  front(run: RunData): void;
  remove(run: RunData): void;
  difference(on: boolean): void;
}

/** The runs that are laid over each other: which one is in front, which colour each has. */
export class RunChips {
  readonly root: HTMLElement;
  private readonly list = element('ul', { class: 'chips' });
  private shown = '';

  constructor(private readonly actions: ChipActions) {
    this.root = element(
      'div',
      { class: 'runs', role: 'group', 'aria-label': t('Compared runs') },
      this.list,
      toggle({
        label: t('difference'),
        title: t('Draw the other runs as differences from the first one'),
        pressed: false,
        onChange: (pressed) => actions.difference(pressed),
      }),
    );
  }

  update(runs: readonly RunData[], theme: Theme): void {
    this.root.toggleAttribute('hidden', runs.length < 2);
    const key = JSON.stringify([runs.map((r) => [r.info.run, r.label, r.status]), theme.palette]);
    if (key === this.shown) return;
    this.shown = key;
    this.list.replaceChildren(
      ...runs.map((run, i) => {
        const dot = element('span', { class: 'dot', 'aria-hidden': 'true' });
        dot.style.background = theme.palette[i % theme.palette.length];
        return element(
          'li',
          {},
          dot,
          element('span', { class: 'name' }, i === 0 ? t('{0} (reference)', run.label) : run.label),
          i > 0 &&
            button({
              label: t('Compare with this run'),
              name: t('Compare with “{0}”', run.label),
              icon: 'front',
              appearance: 'icon',
              onClick: () => this.actions.front(run),
            }),
          button({
            label: t('Take out of the comparison'),
            name: t('Take “{0}” out of the comparison', run.label),
            icon: 'close',
            appearance: 'icon',
            onClick: () => this.actions.remove(run),
          }),
        );
      }),
    );
  }
}
